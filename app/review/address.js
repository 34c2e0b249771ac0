// The address of the page: query and candidate as words, so that a refresh or a link shows the same.

import { extraWords } from "./more.js"

export function addressWords(query, {ensembles, defaults}, catalogs, row) {
  const words = new URLSearchParams()
  const set = (name, value) => words.set(name, String(value))
  const ensemble = ensembles.find(({id}) => id === query.ensemble_id)
  if (ensemble !== undefined) { set("ensemble", ensemble.name) }
  for (const id of query.catalog_ids) { words.append("catalog", catalogs.get(id).name) }
  if (query.sort !== defaults.sort) { set("sort", query.sort) }
  if (query.descending !== defaults.descending || query.sort !== defaults.sort) {
    set("order", query.descending ? "desc" : "asc")
  }
  if (query.probability_min > 0) { set("min", query.probability_min) }
  if (query.probability_max < 1) { set("max", query.probability_max) }
  for (const stage of query.stages) { words.append("stage", stage) }
  if (query.label) { set("label", query.label) }
  if (query.object_id) { set("object", query.object_id) }
  extraWords(query, words)
  if (row !== undefined) { set("candidate", row.id) }
  return words
}
