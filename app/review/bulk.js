// What is done to many candidates at once: the events, what they take back, and the sentences that say so first.

const count = (n) => `${n.toLocaleString("en-US")} ${n === 1 ? "candidate" : "candidates"}`

/** @typedef {{events: object[], question: string, doing: string, done: string}} Plan */

/**
 * Grades of candidates: one event each.
 *
 * @param {any[]} rows
 * @param {{key: string, title: string}} grade
 * @param {(id: number) => ({grade: string} | null | undefined)} ownGrade
 * @param {(kind: string, row: any, fields: object) => object} make an event
 * @param {object} fields of each event
 * @returns {Plan}
 */
export function gradePlan(rows, grade, ownGrade, make, fields) {
  const wanted = rows.filter((row) => ownGrade(row.id)?.grade !== grade.key)
  const replaced = wanted.filter((row) => ownGrade(row.id)).length
  const same = rows.length - wanted.length
  return {
    events: wanted.map((row) => make("grade", row, {grade: grade.key, ...fields})),
    question: sentences(`Grade ${count(wanted.length)} ${grade.key} (${grade.title})?`,
      same && `${same} more ${same === 1 ? "has" : "have"} that grade of yours.`,
      replaced && `${replaced} other ${replaced === 1 ? "grade" : "grades"} of yours ${replaced === 1 ? "is" : "are"} replaced.`),
    doing: `Grade ${count(wanted.length)} ${grade.key}`,
    done: `${count(wanted.length)} graded ${grade.key}`,
  }
}

/**
 * A tag for candidates; those that have it, in whatever case, are left as they are.
 *
 * @param {any[]} rows
 * @param {string} text
 * @param {(row: any) => string[]} tagsOf
 * @param {(kind: string, row: any, fields: object) => object} make
 * @returns {Plan}
 */
export function tagPlan(rows, text, tagsOf, make) {
  const tag = text.replaceAll(",", " ").trim().split(/\s+/).join(" ")
  const wanted = rows.filter((row) => !tagsOf(row).some((one) => one.toLowerCase() === tag.toLowerCase()))
  const same = rows.length - wanted.length
  return {
    events: tag ? wanted.map((row) => make("tag", row, {tag})) : [],
    question: sentences(`Tag ${count(wanted.length)} “${tag}”?`, same && `${same} more ${same === 1 ? "has" : "have"} that tag.`),
    doing: `Tag ${count(wanted.length)}`,
    done: `${count(wanted.length)} tagged “${tag}”`,
  }
}

/**
 * Moves to a stage, each from the stage that was seen.
 *
 * @param {any[]} rows
 * @param {string} stage
 * @param {{key: string, title: string} | null} reason with "rejected"
 * @param {(kind: string, row: any, fields: object) => object} make
 * @returns {Plan}
 */
export function stagePlan(rows, stage, reason, make) {
  const wanted = rows.filter((row) => row.stage !== stage)
  const same = rows.length - wanted.length
  const why = reason === null ? "" : ` (${reason.title})`
  return {
    events: wanted.map((row) => make("stage", row, {stage, reason: reason?.key ?? null, expected: row.stage})),
    question: sentences(`Move ${count(wanted.length)} to ${stage}${why}?`, same && `${same} more ${same === 1 ? "is" : "are"} there already.`),
    doing: `Move ${count(wanted.length)}`,
    done: `${count(wanted.length)} moved to ${stage}`,
  }
}

/**
 * What takes events back, as far as they still stand.
 *
 * @param {{events: any[], done: string}} plan that was carried out
 * @param {(id: number) => any} rowOf
 * @param {(id: number) => ({uuid: string} | null | undefined)} ownGrade
 * @param {(row: any) => string[]} tagsOf
 * @param {(kind: string, row: any, fields: object) => object} make
 * @returns {Plan}
 */
export function undoPlan({events, done}, rowOf, ownGrade, tagsOf, make) {
  const back = events.flatMap((event) => {
    const row = rowOf(event.candidate)
    if (event.kind === "grade" && ownGrade(event.candidate)?.uuid === event.uuid) {
      return [make("undo", row, {undoes: event.uuid})]
    }
    if (event.kind === "tag" && tagsOf(row).some((tag) => tag.toLowerCase() === event.tag.toLowerCase())) {
      return [make("untag", row, {tag: tagsOf(row).find((tag) => tag.toLowerCase() === event.tag.toLowerCase())})]
    }
    if (event.kind === "stage" && row.stage === event.stage && event.expected !== "rejected") {
      return [make("stage", row, {stage: event.expected, reason: null, expected: event.stage})]
    }
    return []
  })
  const left = events.length - back.length
  return {
    events: back,
    question: sentences(`Take back: ${done}?`, left && `${left} ${left === 1 ? "is" : "are"} left as ${left === 1 ? "it is" : "they are"}, `
      + "changed since or rejected before."),
    doing: `Take back ${back.length.toLocaleString("en-US")}`,
    done: `${count(back.length)} as before`,
  }
}

const sentences = (...parts) => parts.filter(Boolean).join(" ")
