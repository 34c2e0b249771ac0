// The person's own grades of candidates, as this page knows them before the server has answered.

export class OwnGrades {
  constructor() {
    this.stored = new Map() // by candidate: {uuid, grade} as the server said last; null: there is none
    this.askedAt = new Map() // by candidate: when that was asked
    this.given = new Map() // by candidate: what this page gave and the server may not know, the latest last
  }

  // The grade that stands: {uuid, grade}; null where there is none, undefined where that is not known.
  of(candidate) {
    const local = this.given.get(candidate)
    if (local?.grades.length) { return local.grades.at(-1) }
    const stored = this.stored.get(candidate)
    return local?.undone.has(stored?.uuid) ? null : stored
  }

  give(candidate, grade) {
    const local = this.local(candidate)
    local.grades.push(grade)
    local.pending += 1
  }

  // Take back the grade that stands; the one before it stands again.
  undo(candidate) {
    const local = this.local(candidate)
    const taken = local.grades.pop() ?? this.stored.get(candidate)
    if (taken) { local.undone.add(taken.uuid) }
    local.pending += 1
  }

  // The server has said what became of an event; of one that it refused, nothing is believed.
  settled(candidate, at, refused) {
    const local = this.given.get(candidate)
    if (local === undefined) { return } // of an earlier visit
    local.pending -= 1
    local.settledAt = at
    if (refused) { this.given.delete(candidate) }
  }

  isPending(candidate) { return (this.given.get(candidate)?.pending ?? 0) > 0 }

  // What the server answered to a question that was asked at a moment: it knows what was settled by then.
  // An answer to an earlier question than the last one, such as a page fetched ahead, says nothing.
  heard(candidate, stored, askedAt) {
    if (askedAt < (this.askedAt.get(candidate) ?? -Infinity)) { return }
    this.askedAt.set(candidate, askedAt)
    this.stored.set(candidate, stored)
    const local = this.given.get(candidate)
    if (local !== undefined && local.pending === 0 && askedAt > local.settledAt) { this.given.delete(candidate) }
  }

  local(candidate) {
    if (!this.given.has(candidate)) {
      this.given.set(candidate, {grades: [], undone: new Set(), pending: 0, settledAt: 0})
    }
    return this.given.get(candidate)
  }
}
