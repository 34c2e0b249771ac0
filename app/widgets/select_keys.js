// Choosers (MUI selects) open by key, too. Panel's component controls whether its list is open and
// opens it at a click alone, so that Enter, Space and the arrows did nothing.

const KEYS = ["Enter", " ", "ArrowDown", "ArrowUp"]

// The closed chooser that a key means to open; null for all other keys and places.
export function chooserOf(event) {
  if (!KEYS.includes(event.key) || event.ctrlKey || event.metaKey || event.altKey) return null
  const at = event.composedPath()[0]
  if (!at?.matches?.(".MuiSelect-select[role=combobox]")) return null
  const closed = at.getAttribute("aria-expanded") !== "true"
  return closed && at.getAttribute("aria-disabled") !== "true" ? at : null
}

export function openChoosersByKey() {
  document.addEventListener("keydown", (event) => {
    const chooser = chooserOf(event)
    if (!chooser) return
    event.preventDefault()
    chooser.click()
  })
}
