// A button beside each value that is to be pasted elsewhere.
for (const value of document.querySelectorAll(".copy")) {
  if (!navigator.clipboard) break; // only on https and on this machine
  const button = document.createElement("button");
  button.type = "button";
  button.className = "tool";
  button.textContent = "复制";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(value.textContent);
    button.textContent = "已复制";
  });
  value.after(" ", button);
}
