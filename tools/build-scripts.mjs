// Bundles each entry with what it imports into app/bundles, one file a component.
import { createHash } from "node:crypto"
import { readFile, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"

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
    metafile: true,
    write: false,
  })
  const digest = await digestOf(Object.keys(result.metafile.inputs).sort())
  const banner = `// Made by "make scripts" from ${entry}; edit that. Sources: sha256 ${digest}\n`
  await writeFile(join(ROOT, "app/bundles", `${name}.js`), banner + result.outputFiles[0].text)
}
