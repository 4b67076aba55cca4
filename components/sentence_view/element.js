/* Small helpers of the parts of the view. */
(function () {
  "use strict";

  function element(name, className, parent, attributes = {}) {
    const made = document.createElement(name);
    made.className = className;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (parent) parent.appendChild(made);
    return made;
  }

  const same = (a, b) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

  Object.assign(window.atlas_sentence_view, { element, same });
})();
