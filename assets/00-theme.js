/* Before anything is drawn: the stored theme, else the system's. */
window.atlasTheme = () => {
  const { names, key } = window.atlasTables.theme;
  const [light, dark] = names;
  let stored = null;
  try { stored = window.localStorage.getItem(key); } catch { /* storage may be switched off */ }
  if (names.includes(stored)) return stored;
  return window.matchMedia("(prefers-color-scheme: dark)").matches ? dark : light;
};
document.documentElement.setAttribute("data-bs-theme", window.atlasTheme());
