// The bar of ticked rows: how many they are and what they are worth, counted as they are ticked.

const MICROS = 1000000n

function bar() {
  return document.getElementById("ticked")
}

function boxes() {
  return [...document.querySelectorAll('input[name=id][form=ticked]')]
}

// An amount of micros, rounded half to even to cents, as the page writes money.
function money(micros) {
  const size = micros < 0n ? -micros : micros
  let cents = size / 10000n
  const rest = size % 10000n
  if (rest > 5000n || (rest === 5000n && cents % 2n === 1n)) cents += 1n
  const whole = (cents / 100n).toString().replace(/\B(?=(\d{3})+$)/g, ",")
  return `${micros < 0n && cents ? "\u2212" : ""}${whole}.${(cents % 100n).toString().padStart(2, "0")}`
}

function count() {
  const form = bar()
  if (!form) return
  const every = boxes()
  const ticked = every.filter((box) => box.checked)
  const all = document.getElementById("all-matching")
  if (all && ticked.length === 0) all.checked = false
  const worth = ticked.reduce((sum, box) => sum + BigInt(box.dataset.worth), 0n)
  const text = all?.checked ? all.dataset.text : `${ticked.length} selected, ${money(worth)} ${form.dataset.currency}`
  form.querySelector("[data-ticked-text]").textContent = ticked.length ? text : ""
  form.classList.toggle("has-some", ticked.length > 0)
  const head = document.querySelector("[data-tick-all]")
  if (head) {
    head.checked = every.length > 0 && ticked.length === every.length
    head.indeterminate = ticked.length > 0 && ticked.length < every.length
  }
}

let last = null

document.addEventListener("click", (event) => {
  const box = event.target.closest('input[name=id][form=ticked]')
  if (box) {
    const every = boxes()
    if (event.shiftKey && last?.isConnected) {
      const [from, to] = [every.indexOf(last), every.indexOf(box)].sort((a, b) => a - b)
      for (const each of every.slice(from, to + 1)) each.checked = box.checked
    }
    last = box
    count()
  }
  if (event.target.closest("[data-untick]")) {
    for (const each of boxes()) each.checked = false
    count()
  }
})

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-tick-all]")) {
    for (const each of boxes()) each.checked = event.target.checked
  }
  if (event.target.closest("#list")) count()
})

// With all that match, the ticked ones are not sent beside.
document.addEventListener("formdata", (event) => {
  if (event.target === bar() && document.getElementById("all-matching")?.checked) event.formData.delete("id")
})

document.addEventListener("htmx:after:swap", count)
count()
