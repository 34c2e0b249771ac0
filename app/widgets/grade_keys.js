// Keys that give grades, by the hand and by own choice; other keys yield to them.

// Grades are given from worst to best: most cutouts are no lens, and get the strongest finger.
const HAND_KEYS = {
  own: {grades: null, undo: "u", skip: "n", flag: "q", reason: "e", mode: "y"},
  left: {grades: "fdsagvcx", undo: "z", skip: "q", flag: "t", reason: "r", mode: "b"},
  right: {grades: "jklhmuop", undo: "i", skip: "n", flag: "p", reason: "o", mode: "y"},
}
const FIXED_KEYS = {back: "Backspace", forward: "ArrowDown", front: "End", note: "/", rest: "Enter", help: "?"}

// Key by action, `grade:…` for grades; `own` are the user's changes of the preset `hand`.
/** @returns {Object<string, string>} the key of each action */
export function labelKeys(scheme, hand, own = {}) {
  const {grades, ...view} = HAND_KEYS[hand] ?? HAND_KEYS.own
  const keys = scheme.grades.map(({key}) => key.toLowerCase())
  const single = keys.every((key) => key.length === 1) && new Set(keys).size === keys.length &&
    !scheme.continuous
  const initials = keys.map((key) => key[0])
  const n = keys.length
  const given = grades !== null ? [...grades].slice(0, n).reverse()
    : single ? keys
      : !scheme.continuous && new Set(initials).size === n ? initials
        : keys.map((_, k) => String(n - k))
  const chosen = Object.fromEntries(scheme.grades.map(({key}, k) => [`grade:${key}`, given[k] ?? ""]))
  const taken = new Set(Object.values(chosen))
  const rest = {...FIXED_KEYS, ...view}
  // A key of the view that a grade has goes to a free letter.
  const free = [..."jkdyzquen"].filter((key) => !taken.has(key) && !Object.values(rest).includes(key))
  for (const [action, key] of Object.entries(rest)) {
    chosen[action] = taken.has(key) ? free.shift() ?? "" : key
  }
  return {...chosen, ...own}
}

// Sections without the keys that are taken: a letter works with Shift instead, where nothing else has that.
export function yieldKeys(sections, taken) {
  const used = new Set(sections.flatMap(({keys}) => keys.flatMap((row) => row.keys)))
  return sections.map((section) => ({...section, keys: section.keys
    .map((row) => {
      const open = row.keys.filter((key) => !taken.has(key))
      if (open.length === row.keys.length) { return row }
      if (open.length) { return {...row, keys: open, shown: open.map(shownKey).join(" ")} }
      const shifted = row.keys.filter((key) => /^[a-z]$/.test(key)).map((key) => key.toUpperCase())
        .filter((key) => !taken.has(key) && !used.has(key))
      return {...row, keys: shifted, shown: shifted.map((key) => `⇧${key}`).join(" ")}
    })
    .filter((row) => row.keys.length)}))
}

export function shownKey(key) {
  return {" ": "Space", Backspace: "⌫", ArrowDown: "↓", ArrowUp: "↑", ArrowLeft: "←", ArrowRight: "→",
    Enter: "⏎"}[key] ?? key
}
