// Marks in a list: the person's own grade filled, what others think open.

import { formatProbability, h } from "../widgets/dom.js"

const DECIDED = {accepted: "accepted as a lens", retired: "not a lens", open: "not decided"}

/**
 * What a list says of the opinion of others; null where there is none, or it may not be seen.
 *
 * @param {{posterior: number, state: string, n_votes: number} | null | undefined} consensus
 * @returns {{text: string, title: string} | null}
 */
export function opinionOf(consensus) {
  if (consensus == null) { return null }
  const {posterior, state, n_votes} = consensus
  const votes = `${n_votes} ${n_votes === 1 ? "vote" : "votes"}`
  const text = posterior > 0.99 ? "> .99" : posterior < 0.01 ? "< .01" : posterior.toFixed(2).replace(/^0/, "")
  return {text,
    title: `Consensus of ${votes}: P(lens) ${formatProbability(posterior)}, ${DECIDED[state]}`}
}

// Nodes for a row; `own` is the grade that stands: {grade}, null, or undefined.
export function gradeMarks(row, own) {
  const opinion = opinionOf(row.consensus)
  return [
    own ? h("span", {className: "grade-mark own", title: `Your grade: ${own.grade}`}, own.grade) : null,
    opinion === null ? null
      : h("span", {className: `grade-mark others ${row.consensus.state}`, title: opinion.title}, opinion.text),
    row.blind ? h("span", {className: "faint", title:
      "Graded blind in an open session: label and consensus are shown when it is closed"}, "blind") : null,
  ]
}
