// What a person prefers on all pages: kept by the server with their name, else in this browser.

import { post } from "../http/requests.js"

const KEY = "lens-triage-preferences"
export const CHANGED = "lens-triage-preferences"
/** '' leaves it as this browser has it. */
export const STANDARD = {stretch: "", advance: "", grade_keys: "review", theme: "", notify: false}
const CHOICES = {advance: ["", "on", "off"], grade_keys: ["review", "label"], theme: ["", "system", "light", "dark"]}

// Those of `given` that are known and have a value that there is; the standard for all others.
export function checked(given) {
  const known = Object.entries(STANDARD).map(([name, standard]) => {
    const value = given?.[name]
    const good = typeof value === typeof standard && (CHOICES[name]?.includes(value) ?? true)
    return [name, good ? value : standard]
  })
  return Object.fromEntries(known)
}

function ofBrowser(storage) {
  try {
    return JSON.parse(storage().getItem(KEY))
  } catch {
    return null // no storage, or not ours
  }
}

/**
 * @param {object | null} stored what the server keeps with the name of who is signed in; null: nobody, or a reader
 * @param {() => Pick<Storage, "getItem">} storage
 */
export function preferencesOf(stored, storage = () => localStorage) {
  return checked(stored ?? ofBrowser(storage))
}

// Keep some preferences, and tell the page; throws what the server says.
export async function keepPreferences(changes, stored, storage = () => localStorage) {
  const values = checked({...preferencesOf(stored, storage), ...changes})
  if (stored === null) {
    storage().setItem(KEY, JSON.stringify(values))
  } else {
    await post("labeling/preferences", {general: values})
  }
  globalThis.document?.dispatchEvent(new CustomEvent(CHANGED, {detail: values}))
  return values
}
