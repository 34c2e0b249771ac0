// Bundles each entry with what it imports into app/bundles, one file a component.
import { createHash } from "node:crypto"
import { readFile, readdir, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { build, transform } from "esbuild"

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const ENTRIES = {
  review: "app/review/view.js",
  label: "app/label/view.js",
  "sign-in": "app/http/sign_in.js",
  table: "app/widgets/table.js",
  "action-button": "app/widgets/action_button.js",
  "shown-once": "app/widgets/shown_once.js",
  preferences: "app/settings/preferences.js",
  "field-focus": "app/widgets/field_focus.js",
  rail: "app/rail.js",
  "run-bell": "app/run_bell.js",
  article: "app/help/article.js",
  "chart-pdf": "app/widgets/chart_pdf.js",
}
// Of packages that bundles bring: they are as package-lock.json says, and their licenses go along.
const PACKAGE = /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\//
// What jsPDF asks for by name when it is given HTML, which it is not.
const LEFT_OUT = ["canvg", "html2canvas", "dompurify"]

async function licensesOf(packages) {
  const texts = []
  for (const name of packages) {
    const folder = join(ROOT, "node_modules", name)
    const {version} = JSON.parse(await readFile(join(folder, "package.json"), "utf8"))
    const file = (await readdir(folder)).sort().find((each) => /^licen[cs]e/i.test(each))
    texts.push(`${name} ${version}\n\n${(await readFile(join(folder, file), "utf8")).trim()}\n`)
  }
  return texts.join(`\n${"-".repeat(72)}\n\n`)
}

// tests/app/test_scripts.py computes the same from the sources, and so tells when a bundle is old.
async function digestOf(sources) {
  const hash = createHash("sha256")
  for (const source of sources) {
    hash.update(`${source}\0`)
    hash.update(await readFile(join(ROOT, source)))
  }
  return hash.digest("hex")
}

for (const [name, entry] of Object.entries(ENTRIES)) {
  const result = await build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    bundle: true,
    format: "esm",
    target: "es2022",
    charset: "utf8",
    legalComments: "none",
    external: LEFT_OUT,
    metafile: true,
    write: false,
  })
  const inputs = Object.keys(result.metafile.inputs).sort()
  const packages = [...new Set(inputs.map((input) => PACKAGE.exec(input)?.[1]).filter(Boolean))]
  const digest = await digestOf(inputs.filter((input) => input.startsWith("app/")))
  const banner = `// Made by "make scripts" from ${entry}; edit that. Sources: sha256 ${digest}\n`
  let {text} = result.outputFiles[0]
  if (packages.length) {
    text = (await transform(text, {minify: true, charset: "utf8", legalComments: "none"})).code
    await writeFile(join(ROOT, "app/bundles", `LICENSE.${name}.txt`), await licensesOf(packages))
  }
  await writeFile(join(ROOT, "app/bundles", `${name}.js`), banner + text)
}
