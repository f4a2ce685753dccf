// What the frame of every page does in a browser. Everything works without it; it is keys, copies and comfort.

const root = document.documentElement
root.classList.add("js")

const FIELDS = "input:not([type=checkbox], [type=radio], [type=button], [type=submit]), textarea, select, [contenteditable]"
const KEY_PAUSE_MS = 1000
const DONE_MS = 1500
let gPressed = 0

// Copies the text of a button's data-copy. Without a secure connection there is no clipboard: the text is selected.
async function copy(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copy)
    button.classList.add("is-done")
    setTimeout(() => button.classList.remove("is-done"), DONE_MS)
    announce(`Copied ${button.dataset.copy}`)
  } catch {
    const text = button.previousElementSibling
    if (text) getSelection().selectAllChildren(text)
  }
}

// Says something to a screen reader alone.
function announce(text) {
  let place = document.getElementById("announced")
  if (!place) {
    place = Object.assign(document.createElement("p"), { id: "announced", className: "visually-hidden" })
    place.setAttribute("role", "status")
    document.body.append(place)
  }
  place.textContent = text
}

function closePanels(except) {
  for (const panel of document.querySelectorAll("details.pop[open]")) {
    if (!panel.contains(except)) panel.open = false
  }
}

document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-copy]")
  if (target) copy(target)
  closePanels(event.target)
})

// A theme or a density acts at once, and is remembered beside it.
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-preferences]")
  if (!form) return
  const { name, value } = event.target
  if (name === "theme") value === "auto" ? root.removeAttribute("data-bs-theme") : root.setAttribute("data-bs-theme", value)
  if (name === "density") root.dataset.density = value
  fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), redirect: "manual" })
})

// Pop-ups that came with the page stand above it, and closing one leads back to what is behind it.
function openDialogs() {
  for (const dialog of document.querySelectorAll("dialog[data-modal][open]:not(:modal)")) {
    dialog.close()
    dialog.showModal()
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault()
      location.assign(dialog.dataset.close)
    })
  }
}

function rows() {
  return [...document.querySelectorAll("table.list tbody tr")]
}

function moveTo(step) {
  const all = rows()
  if (!all.length) return
  const here = all.findIndex((row) => row.classList.contains("is-here"))
  const next = all[Math.min(Math.max(here + step, 0), all.length - 1)]
  all[here]?.classList.remove("is-here")
  next.classList.add("is-here")
  next.scrollIntoView({ block: "nearest" })
  const link = next.querySelector("a[data-opens]") ?? next.querySelector("a")
  link?.focus({ preventScroll: true })
}

// What a key does where nobody types; true where it did something.
function pressed(key) {
  const here = document.querySelector("table.list tr.is-here")
  const hasLetters = document.body.dataset.letterKeys !== undefined
  if (key === "ArrowDown" || key === "ArrowUp") return rows().length > 0 && (moveTo(key === "ArrowDown" ? 1 : -1), true)
  if (key === "ArrowLeft" || key === "ArrowRight") return follow(`a[rel=${key === "ArrowLeft" ? "prev" : "next"}][data-period]`)
  if (key === "Enter" && here && document.activeElement === document.body) return follow("tr.is-here a[data-opens]")
  if (!hasLetters) return false
  if (key === "/") return focusSearch()
  if (key === "?") return openHelp()
  if (key === "x" && here) return (here.querySelector("input[type=checkbox]")?.click(), true)
  if (key === "c" && gPressed === 0) return follow("a[data-compare]")
  if (key === "g") return ((gPressed = Date.now()), true)
  return false
}

function follow(selector) {
  const link = document.querySelector(selector)
  link?.click()
  return Boolean(link)
}

function focusSearch() {
  const field = document.getElementById("search")
  if (!field) return false
  if (field.offsetParent === null) document.getElementById("sidebar")?.showPopover?.()
  field.focus()
  field.select()
  return true
}

function openHelp() {
  const help = document.getElementById("help")
  if (help && !help.open) help.showModal()
  return Boolean(help)
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    const panel = document.querySelector("details.pop[open]")
    if (panel) {
      panel.open = false
      panel.querySelector("summary").focus()
      event.preventDefault()
    }
    return
  }
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest(FIELDS)) return
  if (document.querySelector("dialog:modal")) return
  const goes = gPressed && Date.now() - gPressed < KEY_PAUSE_MS && document.body.dataset.letterKeys !== undefined
  gPressed = event.key === "g" ? gPressed : 0
  const did = goes && event.key !== "g" ? follow(`a[data-keys="${CSS.escape(event.key)}"]`) : pressed(event.key)
  if (did) event.preventDefault()
})

document.addEventListener("htmx:after:swap", openDialogs)
openDialogs()
document.getElementById("errors")?.focus()
