// A field points at its words; a time mark plays from there.
const sound = document.getElementById("sound");

for (const fact of document.querySelectorAll(".fact")) {
  fact.addEventListener("click", () => {
    const on = fact.getAttribute("aria-pressed") !== "true";
    for (const other of document.querySelectorAll(".fact")) other.setAttribute("aria-pressed", String(on && other === fact));
    let first = null;
    for (const mark of document.querySelectorAll("mark[data-fields]")) {
      const hit = on && mark.dataset.fields.split(" ").includes(fact.dataset.field);
      mark.classList.toggle("is-on", hit);
      if (hit) first ??= mark;
    }
    first?.scrollIntoView({ block: "center", behavior: "smooth" });
  });
}

for (const mark of document.querySelectorAll(".segment")) {
  mark.addEventListener("click", () => {
    sound.currentTime = Number(mark.dataset.at);
    sound.play();
  });
}
