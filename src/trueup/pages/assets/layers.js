// Pop-ups and drawers: pages with URLs of their own, shown above the page that they were opened from. Without this
// script each is a whole page. `a[data-opens]` and `form[data-opens]` open one; Esc, Back and its x close it.

const PARTIAL = { "HX-Request": "true", "HX-Request-Type": "partial", Accept: "text/html" }
let here = bare(location.href) // the URL that is shown
let beneath = here // the URL of the page without a layer
let titleBeneath = document.title
let turn = 0 // which opening is the last: an earlier one that answers late is dropped

function bare(url) {
  return url.split("#")[0]
}

function layer() {
  return document.getElementById("layer")
}

function made() {
  const dialog = Object.assign(document.createElement("dialog"), { id: "layer" })
  dialog.setAttribute("aria-labelledby", "layer-title")
  const head = Object.assign(document.createElement("div"), { className: "dialog-head" })
  const title = Object.assign(document.createElement("h2"), { id: "layer-title" })
  const close = Object.assign(document.createElement("a"), { className: "btn-quiet", href: beneath })
  close.dataset.closes = ""
  close.setAttribute("aria-label", "Close")
  const icon = document.querySelector("#help .dialog-head .icon")
  close.append(icon ? icon.cloneNode(true) : "×")
  const body = Object.assign(document.createElement("div"), { className: "layer-body" })
  head.append(title, close)
  dialog.append(head, body)
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault()
    leave()
  })
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog && layer().dataset.kind === "drawer") leave()
  })
  document.body.append(dialog)
  return dialog
}

// Puts the answer's part into the layer, and opens it.
function show(html) {
  const dialog = layer() ?? made()
  const part = new DOMParser().parseFromString(html, "text/html").querySelector("[data-layer]")
  if (!part) return false
  const found = document.adoptNode(part)
  dialog.className = `dialog ${found.dataset.layer}`
  dialog.dataset.kind = found.dataset.layer
  dialog.classList.toggle("is-wide", found.dataset.wide !== undefined)
  dialog.querySelector("#layer-title").textContent = found.dataset.title
  document.title = `${found.dataset.title} · ${titleBeneath.split(" · ").pop()}`
  dialog.querySelector(".layer-body").replaceChildren(found)
  dialog.scrollTop = 0
  if (!dialog.open) dialog.showModal()
  const field = found.dataset.layer === "popup" ? found.querySelector("input:not([type=hidden]), textarea, select") : null
  const first = found.querySelector("#errors, [autofocus]") ?? field
  first?.focus()
  return true
}

async function open(url, isNew) {
  const mine = ++turn
  document.documentElement.classList.add("is-opening")
  const answer = await fetch(url, { headers: PARTIAL }).catch(() => null)
  if (mine === turn) document.documentElement.classList.remove("is-opening")
  if (mine !== turn) return
  const html = answer && (answer.ok || answer.status === 422) && !answer.headers.get("HX-Redirect") ? await answer.text() : ""
  if (mine !== turn) return
  if (isNew && !layer()?.open) {
    beneath = bare(location.href)
    titleBeneath = document.title
  }
  if (!show(html)) return location.assign(url)
  if (isNew) {
    // Coming back here only closes the layer: htmx would load the page anew, and what is ticked would be lost.
    history.replaceState({ ...history.state, htmx: false }, "")
    history.pushState({ layer: true }, "", url)
  }
  here = bare(location.href)
}

async function send(form, submitter) {
  if (form.dataset.sending !== undefined) return // pressed twice
  const fields = new URLSearchParams(new FormData(form, submitter))
  form.dataset.sending = ""
  submitter?.setAttribute("aria-disabled", "true")
  const answer = await fetch(form.action, { method: "POST", body: fields, headers: PARTIAL }).catch(() => null)
  const leads = answer?.headers.get("HX-Redirect")
  if (leads) return location.assign(leads)
  delete form.dataset.sending
  submitter?.removeAttribute("aria-disabled")
  if (!answer || !show(await answer.text())) say("That could not be done. Nothing was changed. Try again.")
}

function say(text) {
  const note = Object.assign(document.createElement("p"), { className: "note note-danger", textContent: text, tabIndex: -1 })
  note.setAttribute("role", "alert")
  layer().querySelector(".layer-body").prepend(note)
  note.focus()
}

function shut() {
  turn += 1
  document.documentElement.classList.remove("is-opening")
  layer()?.close()
  document.title = titleBeneath
  here = bare(location.href)
}

// Closes what is on top: that is one step back.
function leave() {
  history.back()
}

document.addEventListener("click", (event) => {
  if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
  const within = event.target.closest("#layer")
  const closes = within && event.target.closest("[data-closes]")
  const jumps = within && event.target.closest('a[href^="#"]')
  const opens = event.target.closest("a[data-opens]")
  if (closes) leave()
  else if (jumps) document.getElementById(jumps.getAttribute("href").slice(1))?.focus()
  else if (opens && bare(opens.href) !== here) open(opens.href, true)
  else return
  event.preventDefault()
})

document.addEventListener("submit", (event) => {
  const form = event.target
  if (form.matches("form[data-opens]")) {
    event.preventDefault()
    const url = new URL(event.submitter?.formAction ?? form.action, location.href)
    url.search = new URLSearchParams(new FormData(form, event.submitter)).toString()
    open(url.href, true)
  } else if (form.closest("#layer") && form.method === "post") {
    event.preventDefault()
    send(form, event.submitter)
  }
})

window.addEventListener("popstate", (event) => {
  if (bare(location.href) === here) return
  if (event.state?.layer) open(location.href, false)
  else if (layer()?.open && bare(location.href) === beneath) shut()
  else if (!event.state?.htmx) location.reload()
  else here = bare(location.href)
})

for (const name of ["htmx:after:history:push", "htmx:after:history:replace"]) {
  document.addEventListener(name, () => (here = bare(location.href)))
}
