// Charts as PDF, in vectors: jsPDF and svg2pdf.js, with a font that has Greek letters and superscripts. A bundle
// of its own, which a page loads when somebody asks for the first PDF.

import { jsPDF } from "jspdf"
import "svg2pdf.js"

const FONT = "DejaVu Sans"
const PLAIN = {"font-family": FONT, "font-weight": "normal", "font-style": "normal"} // one font in the file
const PT_PER_PX = 0.75

/**
 * @param {SVGSVGElement} svg with its width and height in px
 * @param {ArrayBuffer} font DejaVu Sans, TrueType
 * @param {string} title
 * @returns {Promise<Blob>}
 */
export async function pdfOf(svg, font, title) {
  const [width, height] = ["width", "height"].map((side) => PT_PER_PX * Number.parseFloat(svg.getAttribute(side)))
  const document = new jsPDF({unit: "pt", format: [width, height], orientation: width > height ? "landscape" : "portrait", compress: true})
  document.setProperties({title, creator: "lens-triage"})
  document.addFileToVFS("DejaVuSans.ttf", base64(new Uint8Array(font)))
  document.addFont("DejaVuSans.ttf", FONT, "normal")
  for (const text of /** @type {NodeListOf<SVGElement>} */ (svg.querySelectorAll("text, tspan"))) {
    for (const [name, value] of Object.entries(PLAIN)) {
      text.style.removeProperty(name)
      text.setAttribute(name, value)
    }
  }
  await document.svg(svg, {x: 0, y: 0, width, height})
  return document.output("blob")
}

function base64(bytes) {
  const parts = []
  for (let at = 0; at < bytes.length; at += 0x8000) { parts.push(String.fromCharCode(...bytes.subarray(at, at + 0x8000))) }
  return btoa(parts.join(""))
}
