// Grades by the keys that the person has in Label, where they prefer that.

import { labelKeys, shownKey, yieldKeys } from "../widgets/grade_keys.js"
import { preferencesOf } from "../widgets/preferences.js"

const OWN_WAYS = ["grade", "gradeNow"] // what the keys of Label take the place of

/**
 * The key of each grade; null: Review's own keys.
 * @param {{grades: {key: string, title: string}[], preferences?: any}} start
 */
export function gradeKeysOf({grades, preferences}) {
  if (preferencesOf(preferences?.general ?? null).grade_keys !== "label") { return null }
  const {hand = "own", own = {}} = preferences?.label ?? {}
  const keys = labelKeys({grades}, hand, own)
  return Object.fromEntries(grades.map(({key}) => [key, keys[`grade:${key}`]]))
}

// A function that puts them into a section of keys; other keys of `sections` yield to them.
export function regraded(sections, grades, gradeKeys) {
  if (gradeKeys === null) { return sections }
  const without = sections.map((section) => ({...section,
    keys: section.keys.filter(({action}) => !OWN_WAYS.includes(action))}))
  const given = grades.filter(({key}) => gradeKeys[key]).map(({key, title}) => ({
    keys: [gradeKeys[key]], shown: shownKey(gradeKeys[key]), action: `grade:${key}`, text: `${key}: ${title}`}))
  return yieldKeys(without, new Set(Object.values(gradeKeys))).map((section, k) =>
    sections[k].keys.some(({action}) => action === "grade") ? {...section, keys: [...given, ...section.keys]} : section)
}
