// Copying text: a button says for a moment what came of it.

const SAID_MS = 2000

// Put text on the clipboard; false where the browser has none for pages (without TLS).
export async function copyText(text, clipboard = navigator.clipboard) {
  try {
    await clipboard.writeText(text)
    return true
  } catch {
    return false
  }
}

// Say something on a button for a moment.
export function sayOn(button, said, label = button.textContent) {
  button.textContent = said
  setTimeout(() => { button.textContent = label }, SAID_MS)
}
