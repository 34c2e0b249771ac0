// Who is signed in: a button in the header, and its dialogs.

import { h } from "../widgets/dom.js"
import { post } from "./requests.js"

class SignIn {
  constructor({name, role, guarded, graders, asks, by}) {
    this.by = by ?? []
    this.name = name
    this.asks = asks
    this.guarded = guarded
    this.graders = new Map(graders)
    const shownRole = ["organizer", "reader"].includes(role) ? role : ""
    this.button = h("button", {type: "button", className: "who",
      title: name ? `Signed in as ${name}` : "Sign in to grade", onclick: () => this.open()},
    h("i", {"aria-hidden": "true"}, name ? initials(name) : "?"),
    h("span", {}, name || "Sign in"), " ", shownRole ? h("b", {}, shownRole) : null)
    this.error = h("p", {className: "error", role: "alert"})
    this.dialog = h("dialog", {"aria-label": "Sign in"})
    // What is typed here is no key of the page behind, and a closed dialog gives the page its keys back.
    this.dialog.addEventListener("keydown", (event) => event.stopPropagation())
    this.node = h("div", {}, this.button, this.dialog)
    document.addEventListener("lens-triage-sign-in", () => this.open()) // a link elsewhere on the page
  }

  open() {
    this.error.textContent = ""
    this.dialog.replaceChildren(this.name ? this.account() : this.form())
    this.dialog.showModal()
  }

  form() {
    const name = h("input", {name: "name", required: true, maxLength: 120, autocomplete: "username",
      list: "graders", placeholder: "e.g. Ana Lima", oninput: () => known()})
    name.setAttribute("list", "graders")
    const passphrase = h("input", {name: "passphrase", type: "password", autocomplete: "current-password"})
    const hint = h("small", {})
    const known = () => {
      const guarded = this.graders.get(name.value.trim())
      passphrase.required = guarded === true
      hint.textContent = guarded === undefined ? "Optional: protects a new name, 8 letters or more."
        : guarded ? "This name has a passphrase." : "This name has no passphrase: leave it empty."
    }
    known()
    return this.box("Sign in", "Grades are stored with the name of their grader.", [
      field("Name", name, h("datalist", {id: "graders"},
        [...this.graders.keys()].map((value) => h("option", {value})))),
      field("Passphrase", passphrase, hint),
    ], "Sign in", () => post("sign-in", {name: name.value, passphrase: passphrase.value}))
  }

  account() {
    const old = h("input", {name: "old", type: "password", autocomplete: "current-password", required: true})
    const next = h("input", {name: "new", type: "password", autocomplete: "new-password", required: this.asks})
    const tied = this.by.length > 0
    const form = this.box(this.name, tied ? `You sign in with ${this.by.join(" and ")}.` : this.guarded ? "Your name is protected by a passphrase."
      : "Anybody at this machine can sign in with your name; a passphrase protects it.", tied ? [] : [
      this.guarded ? field("Present passphrase", old) : null,
      field("New passphrase", next, h("small", {}, this.guarded && !this.asks
        ? "8 letters or more; leave it empty to remove the passphrase." : "8 letters or more.")),
    ], tied ? "" : "Save", () => post("passphrase", {old: old.value, new: next.value}))
    form.querySelector("footer").prepend(h("button", {type: "button", className: "plain",
      onclick: () => this.attempt(() => post("sign-out", {}))}, "Sign out"), h("span", {className: "spacer"}))
    return form
  }

  box(title, text, fields, label, action) {
    return h("form", {method: "dialog", onsubmit: (event) => { event.preventDefault(); this.attempt(action) }},
      h("h2", {}, title), h("p", {}, text), fields, this.error,
      h("footer", {},
        h("button", {type: "button", className: "plain", onclick: () => this.dialog.close()}, "Cancel"),
        label ? h("button", {type: "submit"}, label) : null))
  }

  async attempt(action) {
    try {
      await action()
      document.dispatchEvent(new CustomEvent("lens-triage-reload"))
      tellOtherTabs()
      location.reload()
    } catch (error) {
      this.error.textContent = error.message
    }
  }
}

// The connection of another tab still carries the cookie of before: its next page is loaded anew.
function tellOtherTabs() {
  try {
    localStorage.setItem("lens-triage-signed", String(Date.now()))
  } catch { /* no storage: the other tabs see it when they are reloaded */ }
}

function field(label, input, ...more) { return h("label", {}, h("span", {}, label), input, ...more) }

function initials(name) {
  const words = name.split(/\s+/)
  return (words[0][0] + (words.length > 1 ? words.at(-1)[0] : "")).toUpperCase()
}

export function render({model}) { return new SignIn(model.state).node }
