// Before the first paint: how this viewer likes to read. Kept on the device only.
"use strict";
(() => {
  const page = document.documentElement;
  page.classList.add("js");
  try {
    for (const key of ["large", "strong"]) if (localStorage.getItem(key)) page.dataset[key] = "";
  } catch { /* a browser that keeps nothing shows the usual */ }
})();
