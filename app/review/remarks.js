// What this page has said of candidates beside grades, as it stands before the server has answered.

export class Remarks {
  constructor() {
    this.given = new Map() // by candidate: [{event, settledAt}], null while the server may not know of it
  }

  // Count an event as said, once.
  add(event) {
    const given = this.given.get(event.candidate) ?? []
    if (given.some((one) => one.event.uuid === event.uuid)) { return false }
    this.given.set(event.candidate, [...given, {event, settledAt: null}])
    return true
  }

  // The server has said what became of an event; one that it refused was never said.
  settled(event, at, refused) {
    const given = this.given.get(event.candidate) ?? []
    this.keep(event.candidate, given.flatMap((one) => one.event.uuid !== event.uuid ? [one]
      : refused ? [] : [{event: one.event, settledAt: at}]))
  }

  // The server has answered a question that was asked at a moment: it knows what was settled by then.
  heard(candidate, askedAt) {
    const given = this.given.get(candidate) ?? []
    this.keep(candidate, given.filter(({settledAt}) => settledAt === null || settledAt >= askedAt))
  }

  keep(candidate, given) {
    if (given.length) { this.given.set(candidate, given) } else { this.given.delete(candidate) }
  }

  // What the answers of the server do not hold yet, in the order in which it was said.
  of(candidate) { return (this.given.get(candidate) ?? []).map(({event}) => event) }

  isPending(candidate) { return (this.given.get(candidate) ?? []).some(({settledAt}) => settledAt === null) }

  // The stage of a candidate that the server has at `stage`.
  stage(candidate, stage) { return this.of(candidate).findLast(({kind}) => kind === "stage")?.stage ?? stage }

  // Its tags, of which the server has these; whatever the case of letters, a tag is there once.
  tags(candidate, tags) {
    const same = (a, b) => a.toLowerCase() === b.toLowerCase()
    return this.of(candidate).reduce((now, {kind, tag}) => {
      if (kind === "untag") { return now.filter((one) => one !== tag) }
      return kind === "tag" && !now.some((one) => same(one, tag)) ? [...now, tag] : now
    }, tags)
  }
}

// Answers stand below the note that they answer, the first one first; all else as it comes.
export function inThreads(entries) {
  const notes = new Set(entries.map(({note}) => note))
  const isAnswer = ({reply_to: root}) => root != null && notes.has(root)
  return entries.filter((entry) => !isAnswer(entry)).flatMap((entry) => [entry,
    ...(entry.note == null ? [] : entries.filter((one) => isAnswer(one) && one.reply_to === entry.note).reverse())])
}
