/** The page begins once all its scripts are here. */
window.addEventListener("DOMContentLoaded", () => {
  const { Page } = window.atlas_static.page;
  window.atlasPage = new Page(window.atlas_static.manifest);
});
