// A button that copies the new key, for browsers that can.
"use strict";
for (const field of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  const said = document.createElement("span");
  said.setAttribute("role", "status");
  said.className = "hint";
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(field.value);
      said.textContent = "Copied";
    } catch {
      field.select();
      said.textContent = "Press Ctrl+C to copy";
    }
  });
  field.after(button, said);
}
// Nothing of the key comes back with the page when somebody goes back to it later.
addEventListener("pagehide", () => {
  for (const secret of document.querySelectorAll("[data-secret]")) {
    secret.value = "";
    secret.textContent = "";
  }
});
