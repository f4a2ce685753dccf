// What the upload's page does in a browser besides what it does without scripts: dropped files, bytes that are counted
// while they are sent, figures that go grey when a choice changes, and the tab's title while work goes on.

const ANNOUNCE_MS = 5000
const MEGABYTE = 1048576
const title = document.title
let announcedAt = 0

// Choosing a file.
const form = document.querySelector("form[data-send]")
if (form) prepareSending(form)

function prepareSending(sending) {
  const zone = sending.querySelector("[data-drop]")
  const field = sending.querySelector("input[type=file]")
  const text = sending.querySelector("textarea")
  const chosen = sending.querySelector("[data-chosen]")
  const shown = chosen.textContent

  function showChosen() {
    const file = field.files[0]
    zone.classList.toggle("has-file", Boolean(file))
    chosen.textContent = file ? `${file.name}, ${size(file.size)}` : shown
  }

  // A file that is dropped beside the zone would replace the page.
  for (const kind of ["dragenter", "dragover"]) {
    document.addEventListener(kind, (event) => {
      event.preventDefault()
      zone.classList.add("is-over")
    })
  }
  document.addEventListener("dragleave", (event) => event.relatedTarget ?? zone.classList.remove("is-over"))
  document.addEventListener("drop", (event) => {
    event.preventDefault()
    zone.classList.remove("is-over")
    if (!event.dataTransfer.files.length) return
    field.files = event.dataTransfer.files
    showChosen()
  })
  field.addEventListener("change", showChosen)
  sending.addEventListener("submit", (event) => {
    event.preventDefault()
    if (!field.files.length && !text.value.trim()) {
      field.setCustomValidity("Choose a file, or paste lines.")
      field.reportValidity()
      field.addEventListener("input", () => field.setCustomValidity(""), { once: true })
      text.addEventListener("input", () => field.setCustomValidity(""), { once: true })
      return
    }
    send(sending)
  })
  showChosen()
}

function size(bytes) {
  return bytes < MEGABYTE ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / MEGABYTE).toFixed(1)} MB`
}

// fetch tells nothing of what is sent so far; XMLHttpRequest does.
function send(sending) {
  const request = new XMLHttpRequest()
  const place = sending.querySelector("[data-sending]")
  const bar = place.querySelector("progress")
  const button = sending.querySelector("button.btn-primary")
  place.hidden = false
  button.disabled = true
  request.upload.addEventListener("progress", (event) => {
    bar.max = event.total
    bar.value = event.loaded
    const percent = Math.floor((100 * event.loaded) / event.total)
    place.querySelector("[data-sending-count]").textContent = `${size(event.loaded)} of ${size(event.total)}`
    document.title = `Sending ${percent}% · ${title}`
    say(place.querySelector("[data-sending-text]"), event.loaded < event.total ? `Sending: ${percent} %` : "Reading the file")
  })
  request.addEventListener("load", () => arrived(request))
  request.addEventListener("error", () => {
    place.querySelector("[data-sending-text]").textContent = "The connection broke. Nothing was changed; send it again."
    button.disabled = false
    document.title = title
  })
  addEventListener("beforeunload", mind)
  request.addEventListener("loadend", () => removeEventListener("beforeunload", mind))
  request.open("POST", sending.action)
  request.setRequestHeader("Accept", "text/html")
  request.send(new FormData(sending))
}

function mind(event) {
  event.preventDefault()
}

// The answer is the page of the upload, or this page again with what is wrong.
function arrived(request) {
  removeEventListener("beforeunload", mind)
  if (request.status < 400 && request.responseURL) {
    location.assign(request.responseURL)
    return
  }
  const page = new DOMParser().parseFromString(request.responseText, "text/html")
  const content = page.querySelector("main")
  document.title = title
  if (!content) return
  document.querySelector("main").replaceWith(content)
  const again = document.querySelector("form[data-send]")
  if (again) prepareSending(again)
  document.getElementById("errors")?.focus()
}

// A status is read out: not more often than every five seconds.
function say(place, text) {
  if (Date.now() - announcedAt < ANNOUNCE_MS && !text.startsWith("Reading")) return
  announcedAt = Date.now()
  place.textContent = text
}

// A changed choice makes the figures those of another file.
document.addEventListener("input", (event) => {
  if (!event.target.closest("form[data-choices]")) return
  const upload = document.getElementById("upload")
  upload.classList.add("is-stale")
  const apply = document.querySelector("#apply .btn-primary")
  if (!apply) return
  apply.disabled = true
  document.querySelector(".points-end .btn").classList.add("btn-primary")
})

// A button that was pressed says so, once its form is on its way.
document.addEventListener("submit", (event) => {
  const button = event.submitter
  if (!button?.dataset.busy || event.defaultPrevented) return
  setTimeout(() => {
    button.disabled = true
    button.textContent = button.dataset.busy
  })
})

// A link to a point of the check opens it.
function openPoint() {
  const point = location.hash.startsWith("#point-") && document.getElementById(location.hash.slice(1))
  if (!point) return
  point.closest(".check").open = true
  point.open = true
  point.scrollIntoView()
}
addEventListener("hashchange", openPoint)
openPoint()

// A server that does not answer is asked on and on; a person should know it.
document.addEventListener("htmx:finally:request", (event) => {
  const away = document.querySelector("#work [data-away]")
  if (away) away.hidden = (event.detail.ctx.response?.status ?? 503) < 500
})

// Work goes on: the tab says how far.
function showTitle() {
  const said = document.getElementById("upload")?.dataset.title
  if (said) document.title = said
}
document.addEventListener("htmx:after:swap", showTitle)
showTitle()
