// Further filters: a panel that opens on demand, a chip for each filter that is set, saved filters.

import { formatCount, h } from "../widgets/dom.js"

const RANGES = {
  // name: [text, unit, title]
  epistemic: ["Epistemic", "nat", "Mutual information of the members"],
  disagreement: ["Disagreement", "", "Standard deviation of the members' logits"],
  ood: ["Out of distribution", "", "Mahalanobis distance from the training data"],
  magnitude: ["Magnitude", "mag", "AB magnitude of the reference band"],
  theta_e: ["θ_E proxy", "″", "Einstein radius that richness, velocity dispersion or mass suggest, to about 30 %"],
  arc_radius: ["Arc: radius", "″", "Distance of the arc from the center"],
  arc_length: ["Arc: length", "″", "Along the arc; 0 where no segment was found"],
  arc_angle: ["Arc: angle", "°", "Angle that the arc spans, seen from the center"],
  arc_snr: ["Arc: S/N", "", "Signal to noise of the arc"],
  color_consistency: ["Color agreement", "", "Probability of so large a scatter in color if all segments are of one source"],
  arc_color: ["Arc − galaxy color", "mag", "First minus last band; negative: the segments are bluer than the galaxy"],
}
export const SCORE_RANGES = ["epistemic", "disagreement", "ood"]
const VOTES = {
  "": "By anyone or no one", mine: "Graded by me", not_mine: "Not graded by me",
  others: "Graded by others", anyone: "Graded by anyone", nobody: "Graded by no one",
}
const MATCHES = {
  "": "Any", known_lens: "On a known lens", matched: "Matched", review: "For review",
  unmatched: "Unmatched",
}
const CONSENSUS = {accepted: "accepted", open: "open", retired: "retired"}
const FLAGS = {"": "Any", mine: "Flagged by me", anyone: "Flagged by anyone", nobody: "Flagged by no one"}
export const NO_EXTRAS = {
  scales: [], ranges: [], votes: null, grades: [], consensus: [], tags: [], all_tags: false, note: "", flagged: null,
  cone: null, match: null, selection: "",
}

export const hasExtras = (query) => Object.entries(NO_EXTRAS).some(
  ([name, none]) => Array.isArray(none) ? query[name].length > 0 : query[name] !== none)

function rangeText([name, low, high]) {
  const [text, unit] = RANGES[name]
  const ends = low !== null && high !== null ? `${low} – ${high}`
    : low !== null ? `≥ ${low}` : high !== null ? `≤ ${high}` : "known"
  return `${text} ${ends}${unit && ` ${unit}`}`
}

// A chip for each filter that is set: [text, the change that takes it back].
function chipsOf(query, selection) {
  const chips = []
  const without = (name, value) => ({[name]: query[name].filter((one) => one !== value)})
  for (const scale of query.scales) { chips.push([`${scale} scale`, without("scales", scale)]) }
  for (const range of query.ranges) { chips.push([rangeText(range), without("ranges", range)]) }
  if (query.votes) { chips.push([VOTES[query.votes], {votes: null}]) }
  for (const grade of query.grades) { chips.push([`Grade ${grade}`, without("grades", grade)]) }
  for (const state of query.consensus) {
    chips.push([`Consensus ${state}`, without("consensus", state)])
  }
  if (query.all_tags && query.tags.length > 1) {
    chips.push([`All tags: ${query.tags.join(", ")}`, {tags: [], all_tags: false}])
  } else {
    for (const tag of query.tags) { chips.push([`Tag ${tag}`, without("tags", tag)]) }
  }
  if (query.note) { chips.push([`Note contains ${query.note}`, {note: ""}]) }
  if (query.flagged) { chips.push([FLAGS[query.flagged], {flagged: null}]) }
  if (query.cone) { chips.push([`Within ${query.cone}`, {cone: null}]) }
  if (query.match) { chips.push([`Cross-match: ${MATCHES[query.match].toLowerCase()}`, {match: null}]) }
  if (query.selection) {
    const known = selection?.id === query.selection
    chips.push([known ? `${selection.title}: ${formatCount(selection.n)} selected` : "Selection",
      {selection: ""}])
  }
  return chips
}

export class MoreFilters {
  // `ask(message, then, failed)` talks to the server; `bar` is the filter bar.
  constructor(bar, ask, signedIn) {
    this.bar = bar
    this.ask = ask
    this.signedIn = signedIn
    this.facets = null
    this.selection = null
    this.summary = h("summary", {title: "Scale, ranges, grades, tags, notes, flags, sky, cross-match, saved filters"},
      "More filters")
    this.panel = h("div", {className: "more-panel", role: "group", "aria-label": "Further filters"})
    this.node = h("details", {className: "menu more"}, this.summary, this.panel)
    this.node.addEventListener("toggle", () => { if (this.node.open) { this.open() } })
    this.node.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.node.open) {
        this.node.open = false
        this.summary.focus()
        event.stopPropagation()
      }
    })
    this.chips = h("div", {className: "filter-chips", hidden: true})
  }

  open() {
    if (this.facets === null) { this.panel.replaceChildren(h("p", {className: "faint"}, "Loading …")) }
    this.ask({type: "facets"}, (facets) => {
      this.facets = facets
      this.draw()
    })
  }

  set(query) {
    this.query = query
    const chips = chipsOf(query, this.selection)
    this.chips.hidden = chips.length === 0
    this.chips.replaceChildren(...chips.map(([text, change]) => h("span", {className: "chip"}, text,
      h("button", {type: "button", "aria-label": `Remove filter: ${text}`, title: "Remove",
        onclick: () => this.bar.update(change)}, "×"))))
    this.node.classList.toggle("active", chips.length > 0)
    if (this.node.open && this.facets !== null && !this.panel.contains(this.focused)) { this.draw() }
  }

  get focused() { return this.node.getRootNode().activeElement }

  update(change) { this.bar.update(change) }

  draw() {
    const {query, facets} = this
    const scored = query.ensemble_id !== null
    const checks = (name, values, texts = {}) => h("div", {className: "checks"}, values.map((value) => {
      const box = h("input", {type: "checkbox", checked: query[name].includes(value), onchange: () => {
        const others = this.query[name].filter((one) => one !== value)
        this.update({[name]: box.checked ? [...others, value] : others})
      }})
      return h("label", {}, box, h("span", {}, texts[value] ?? value))
    }))
    /** @type {(name: string, texts: object, label: string, off?: (value: string) => boolean) => HTMLElement} */
    const select = (name, texts, label, off = () => false) => {
      const box = h("select", {"aria-label": label,
        onchange: () => this.update({[name]: box.value || null})},
      Object.entries(texts).map(([value, text]) => h("option", {value, disabled: off(value)}, text)))
      box.value = query[name] ?? ""
      return box
    }
    const row = (title, ...parts) => [h("dt", {}, title), h("dd", {}, ...parts)]
    const needsMe = (value) => !this.signedIn && ["mine", "not_mine", "others"].includes(value)
    const none = (text) => h("span", {className: "faint"}, text)
    this.panel.replaceChildren(
      h("div", {className: "more-columns"},
        h("dl", {},
          row("Scale", checks("scales", ["galaxy", "cluster"])),
          row("Grades", select("votes", VOTES, "Graded by", needsMe),
            this.signedIn ? "" : h("small", {}, "Sign in to use your own grades."),
            facets.grades.length ? checks("grades", facets.grades) : none("Nothing is graded yet.")),
          row("Consensus", checks("consensus", Object.keys(CONSENSUS))),
          row("Tags", ...facets.tags.length ? [checks("tags", facets.tags), this.anyOrAll()] : [none("No candidate has a tag.")]),
          row("Notes", this.noteInput()),
          row("Flags", select("flagged", FLAGS, "Flagged by", (value) => !this.signedIn && value === "mine")),
          row("Cross-match", facets.matched ? select("match", MATCHES, "Cross-match")
            : none("No catalog is cross-matched yet.")),
          row("Cone on the sky", this.coneInput()),
        ),
        h("dl", {className: "ranges"}, Object.entries(RANGES)
          .filter(([name]) => scored || !SCORE_RANGES.includes(name))
          .flatMap(([name, [text, unit, title]]) => row(
            h("span", {title}, text), ...this.rangeInputs(name, text, unit, facets.known[name])))),
      ),
      this.saved(),
    )
  }

  rangeInputs(name, text, unit, known) {
    const [, low = null, high = null] = this.query.ranges.find(([one]) => one === name) ?? []
    if (known === false && low === null && high === null) {
      return [h("span", {className: "faint", title: name.startsWith("arc") || name.startsWith("color")
        ? "Measured when an ensemble whose trees use segment features scores the catalog"
        : "No catalog gives it"}, "not measured")]
    }
    const inputs = [low, high].map((value, k) => h("input", {
      type: "number", step: "any", inputMode: "decimal", value: value ?? "",
      "aria-label": `${text}, ${k ? "largest" : "smallest"}`, onchange: () => this.setRange(name, inputs),
    }))
    return [inputs[0], " – ", inputs[1], unit && h("span", {className: "unit"}, unit)]
  }

  setRange(name, inputs) {
    const [low, high] = inputs.map((input) => input.value === "" ? null : Number(input.value))
    const bad = low !== null && high !== null && low > high
    inputs[1].setCustomValidity(bad ? "The smaller number first" : "")
    if (bad) {
      inputs[1].reportValidity()
      return
    }
    const others = this.query.ranges.filter(([one]) => one !== name)
    this.update({ranges: low === null && high === null ? others : [...others, [name, low, high]]})
  }

  // Whether a candidate has one of the chosen tags, or all of them.
  anyOrAll() {
    const box = h("input", {type: "checkbox", checked: this.query.all_tags,
      onchange: () => this.update({all_tags: box.checked})})
    return h("label", {className: "any-or-all"}, box, h("span", {}, "all of them"))
  }

  noteInput() {
    const input = h("input", {type: "search", className: "wide", value: this.query.note, maxLength: 200,
      placeholder: "Text of a note", "aria-label": "Note contains",
      title: "Part of a note, or of a comment on a grade",
      onchange: () => this.update({note: input.value.trim()})})
    return input
  }

  coneInput() {
    const input = h("input", {type: "text", className: "wide", value: this.query.cone ?? "",
      placeholder: "10:00:28.8 +02:12:00 30arcsec", spellcheck: false, "aria-label": "Cone on the sky",
      title: "Right ascension, declination (degrees or sexagesimal) and radius"})
    const problem = h("small", {className: "problem", role: "alert"})
    input.addEventListener("change", () => {
      problem.textContent = ""
      if (input.value.trim() === "") {
        this.update({cone: null})
        return
      }
      this.ask({type: "cone", text: input.value}, ({cone}) => this.update({cone}),
        (message) => { problem.textContent = message })
    })
    return h("div", {}, input, problem)
  }

  saved() {
    const name = h("input", {type: "text", maxLength: 120, placeholder: "Name of this filter",
      "aria-label": "Name of this filter"})
    const problem = h("small", {className: "problem", role: "alert"})
    const done = (facets) => {
      this.facets = facets
      this.draw()
    }
    const failed = (message) => { problem.textContent = message }
    const save = (shared) => this.ask(
      {type: "save_filter", name: name.value, shared, query: this.query}, done, failed)
    const button = (text, action, title) => h("button", {type: "button", onclick: action, title}, text)
    return h("div", {className: "saved"},
      h("h3", {}, "Saved filters"),
      h("ul", {}, this.facets.saved.length ? this.facets.saved.map((one) => h("li", {},
        h("button", {type: "button", className: "text", title: "Use this filter",
          onclick: () => this.load(one)}, one.name),
        h("span", {className: "faint"}, one.shared ? "everybody's" : "mine"),
        h("button", {type: "button", className: "icon", "aria-label": `Delete filter ${one.name}`,
          title: "Delete", onclick: () => this.ask({type: "delete_filter", id: one.id}, done, failed)}, "×"),
      )) : h("li", {className: "faint"}, "None yet.")),
      h("div", {className: "save"}, name,
        this.signedIn ? button("Save for me", () => save(false)) : "",
        button("Save for everybody", () => save(true))),
      problem)
  }

  load({query}) {
    this.bar.update({...NO_EXTRAS, ...query})
    this.node.open = false
  }
}

// Write the further filters into the words of an address.
export function extraWords(query, words) {
  for (const scale of query.scales) { words.append("scale", scale) }
  for (const [name, low, high] of query.ranges) {
    words.append("range", `${name}:${low ?? ""}:${high ?? ""}`)
  }
  if (query.votes) { words.set("votes", query.votes) }
  for (const grade of query.grades) { words.append("grade", grade) }
  for (const state of query.consensus) { words.append("consensus", state) }
  for (const tag of query.tags) { words.append("tag", tag) }
  if (query.all_tags && query.tags.length) { words.set("tags", "all") }
  if (query.note) { words.set("note", query.note) }
  if (query.flagged) { words.set("flag", query.flagged) }
  if (query.cone) { words.set("cone", query.cone) }
  if (query.match) { words.set("match", query.match) }
  if (query.selection) { words.set("selection", query.selection) }
}
