// The filter by one's own grade: a choice of the bar, kept in the query as who has graded and how.

/**
 * Values and texts of the choice, for the grades of a scheme.
 *
 * @param {{key: string, title: string}[]} grades
 * @returns {[string, string][]}
 */
export function mineChoices(grades) {
  return [["", "My grade"], ["mine", "Graded by me"], ["not_mine", "Not graded by me"],
    ...grades.map(({key, title}) => /** @type {[string, string]} */ ([`grade:${key}`, `My grade ${key}: ${title}`]))]
}

/** @param {string} value */
export function mineToQuery(value) {
  if (value.startsWith("grade:")) { return {votes: "mine", grades: [value.slice(6)]} }
  return {votes: value || null, grades: []}
}

/**
 * The value that a query stands for; "" where it is none of these.
 *
 * @param {{votes: string | null, grades: string[]}} query
 */
export function mineOfQuery({votes, grades}) {
  if (votes === "mine" && grades.length === 1) { return `grade:${grades[0]}` }
  return (votes === "mine" || votes === "not_mine") && grades.length === 0 ? votes : ""
}
