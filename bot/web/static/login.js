// Opening the link is not enough to spend it, since mail and chat programs open links ahead; a real
// browser runs this.
const form = document.getElementById("login");
form.addEventListener("submit", () => form.querySelector("button").setAttribute("disabled", ""));
form.requestSubmit();
