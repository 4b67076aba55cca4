/* Before anything is drawn: the stored theme, else the system's. */
window.atlasTheme = () => {
  let stored = null;
  try { stored = window.localStorage.getItem("atlas-theme"); } catch { /* storage may be switched off */ }
  if (stored === "light" || stored === "dark") return stored;
  return window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
};
document.documentElement.setAttribute("data-bs-theme", window.atlasTheme());
