// What a grader can take back: strokes, each of one cutout or of many at once.

export class Strokes {
  constructor() {
    this.all = [] // each a list of {entry, uuid, before}: the response that stood before
  }

  // A stroke that gave events to entries.
  add(given) { this.all.push(given) }

  // The latest stroke, which is no longer one; undefined where there is none.
  takeLast() { return this.all.pop() }

  // Forget one event, which was taken back by itself.
  forget(uuid) {
    this.all = this.all.map((stroke) => stroke.filter((one) => one.uuid !== uuid))
      .filter((stroke) => stroke.length)
  }

  // Begin with the responses of a session's earlier visits, and with events that are still on their way,
  // which count as given.
  restore(queue, unsent) {
    for (const {entry, uuid} of queue.entries.map((entry) => ({entry, uuid: entry.response?.uuid}))) {
      if (uuid) { this.add([{entry, uuid, before: null}]) }
    }
    for (const event of unsent) {
      const entry = queue.byToken.get(event.token)
      if (entry === undefined) { continue }
      if (event.kind === "grade" || event.kind === "skip") {
        this.add([{entry, uuid: event.uuid, before: entry.response}])
        queue.say(entry, event, false)
      } else if (event.kind === "undo" && entry.response?.uuid === event.undoes) {
        queue.say(entry, null, false)
      }
    }
  }
}
