// What is around a candidate: labeled look-alikes, cross-matches, and the sky on public services.

import { tileUrl } from "../viewer/tiles.js"
import { formatCount, h, picture } from "../widgets/dom.js"
import { fold } from "./panel.js"

const MATCH_WORDS = {matched: "matched", review: "to be looked at"}

export class ContextPanel {
  constructor(host, choices, keep) {
    this.host = host
    this.choices = choices
    this.keep = keep
    this.shown = null
    this.node = h("section", {className: "context", "aria-label": "Context"})
  }

  clear() {
    this.shown = null
    this.node.replaceChildren()
  }

  show(row, answer) {
    this.node.classList.toggle("loading", answer === undefined)
    if (answer === undefined || answer === this.shown) { return }
    this.shown = answer
    this.node.replaceChildren(
      fold("Look-alikes with a label", ...this.part(answer.neighbors, (part) => this.neighbors(part))),
      fold("Cross-matches", ...this.part(answer.counterparts, ({found}) => this.counterparts(found))),
      fold("On the sky", ...this.part(answer.links, ({found}) => this.sky(row, found))),
    )
  }

  // Each part stands alone: what fails in one is said there, and the others are shown.
  part(answer, draw) {
    if (answer.failure !== undefined) { return [h("p", {className: "failure", role: "alert"}, answer.failure)] }
    try {
      return draw(answer)
    } catch (error) {
      console.error(error)
      return [h("p", {className: "failure", role: "alert"}, "This part could not be shown; the browser's console says why.")]
    }
  }

  neighbors({sentence, found, member, n_labeled, left_out}) {
    if (sentence !== undefined) { return [h("p", {className: "faint"}, sentence)] }
    if (!found.length) {
      return [h("p", {className: "faint"},
        "No candidate with an embedding of this network is labeled yet; grade some candidates, or import labels.")]
    }
    const group = (title, isLens) => {
      const some = found.filter((one) => one.is_lens === isLens)
      return h("div", {className: "alike"}, h("h4", {}, title), some.length
        ? h("div", {className: "cutouts"}, some.map((one) => this.cutout(one)))
        : h("p", {className: "faint"}, "none is labeled"))
    }
    const out = left_out ? `; ${formatCount(left_out)} more are left out` : ""
    return [group("Lenses", true), group("Not lenses", false), h("p", {className: "faint"},
      `Nearest of ${formatCount(n_labeled)} labeled candidates${out}, by the cosine of embeddings of ${member}.`)]
  }

  cutout(one) {
    const catalog = this.host.catalogs.get(one.catalog_id)
    if (catalog === undefined) { return null }
    return h("a", {className: "cutout", href: `review?candidate=${one.id}`,
      title: `${one.object_id}, ${one.catalog}: similarity ${one.similarity.toFixed(3)}`},
    picture({src: tileUrl(catalog, one, null, {preset: "auto"}, 96), alt: one.object_id, loading: "lazy", width: 64, height: 64}),
    h("span", {}, one.similarity.toFixed(2)))
  }

  counterparts(counterparts) {
    if (!counterparts.length) {
      return [h("p", {className: "faint"}, "No counterpart in the references that its catalog was matched with. ",
        h("a", {href: "crossmatch"}, "Cross-match"))]
    }
    return [h("ul", {className: "counterparts"}, counterparts.map((one) => h("li", {className: one.status},
      h("strong", {}, one.name || "unnamed"), h("span", {}, ` ${one.title}`),
      h("div", {className: "faint"}, [
        one.separation_arcsec === null ? "" : `${one.separation_arcsec.toFixed(2)}″`,
        MATCH_WORDS[one.status] ?? one.status, one.reason,
      ].filter(Boolean).join(", ")))))]
  }

  sky(row, links) {
    if (!links.length) { return [h("p", {className: "faint"}, "The catalog gives no position.")] }
    return [
      h("p", {className: "links"}, links.map(({name, href}) =>
        h("a", {href, target: "_blank", rel: "noopener noreferrer"}, name))),
      ...this.field(row),
    ]
  }

  // A picture from a survey service, which learns the position: asked for by the user alone.
  field(row) {
    const box = h("div", {className: "wide-field"})
    const always = h("input", {type: "checkbox", checked: this.choices.field === true, onchange: () => {
      this.choices.field = always.checked
      this.keep()
      if (always.checked) { load() }
    }})
    const load = async () => {
      box.replaceChildren(h("p", {className: "faint"}, "Asking the survey service…"))
      try {
        const response = await fetch(`wide-field/${row.id}`)
        if (response.headers.get("Content-Type") !== "image/jpeg") { throw new Error((await response.json()).error) }
        const url = URL.createObjectURL(await response.blob())
        const width = response.headers.get("X-Field-Arcmin")
        const survey = response.headers.get("X-Field-Survey")
        const image = h("img", {src: url, alt: "Wider field", onload: () => URL.revokeObjectURL(url)})
        const square = h("span", {className: "footprint"})
        square.style.width = square.style.height = `${100 * Number(response.headers.get("X-Cutout-Fraction"))}%`
        box.replaceChildren(h("div", {className: "field-picture"}, image, square),
          h("p", {className: "faint"}, `${survey}, ${width}′ wide, north up; the square is the cutout.`))
      } catch (error) {
        box.replaceChildren(h("p", {className: "faint"}, error instanceof TypeError
          ? "The server does not answer; is it running?" : error.message))
      }
    }
    if (this.choices.field === true) {
      load()
    } else {
      box.append(h("button", {type: "button", onclick: load}, "Show the wider field"))
    }
    return [box, h("label", {className: "faint always",
      title: "The service of the CDS is sent the position of every candidate whose context you open"},
    always, " Always; sends positions to CDS, Strasbourg")]
  }
}
