// The way through a ranking: the page of rows that is shown, the one after it, and the keys that wait
// for a page. Nothing here knows the screen or the network: `ask` gets pages, `show` draws them.

const ASK_AGAIN_MS = [300, 600, 1200, 2500, 5000]

export class RankingWalk {
  /**
   * @param {object} parts
   * @param {(message: object) => Promise<object>} parts.ask a page of rows; rejects with an error whose
   *   `passing` says that the same may be asked again later
   * @param {() => void} parts.onPage the rows are others now
   * @param {(at: number|undefined) => void} parts.onRow another row of the page is chosen
   * @param {() => void} parts.onState what the page waits for has changed
   * @param {(sentence: string) => void} parts.onProblem
   * @param {(action: (value?: any) => void, ms: number) => any} parts.later
   */
  constructor({ask, onPage, onRow, onState, onProblem, later}) {
    this.ask = ask
    this.onPage = onPage
    this.onRow = onRow
    this.onState = onState
    this.onProblem = onProblem
    this.later = later
    this.query = null
    this.rows = []
    this.index = -1
    this.first = null // rank of the first row; null: not known
    this.hasBefore = false
    this.hasAfter = false
    this.listing = false // another list is on its way; the one that is shown can be used
    this.turning = null // {direction, fromEnd}: a page is on its way, and keys wait for it
    this.away = false // the server has not answered the last question
    this.past = false // a key went beyond the last row
    this.held = []
    this.notices = []
    this.unscored = [] // ids of the list's catalogs that its ensemble has not scored
    this.number = 0 // of the latest question that changes what is shown
    this.next = null // {page}: the page after these rows; null in it: on its way
  }

  get row() { return this.rows[this.index] }

  // Show a page that came with the document.
  begin(query, page) {
    this.query = query
    this.setPage(page, page.selected)
  }

  // Show the ranking of `query` from its top, or around a candidate that stays chosen if it can.
  list(query, candidate = null) {
    this.query = query
    this.leaveTurn()
    this.listing = true
    this.request({query, candidate}, (page) => this.setPage(page, candidate ?? page.selected))
  }

  // Show a candidate that a chart or another program names: in this list where it passes.
  open(id) {
    const index = this.rows.findIndex((row) => row.id === id)
    if (index >= 0) {
      this.select(index)
    } else {
      this.list(this.query, id)
    }
  }

  // Do what a key asks: now, or when the page on its way is there. So no key reaches a row that the
  // person has left.
  do(action) {
    if (this.turning === null) {
      action()
    } else {
      this.held.push(action)
      this.onState()
    }
  }

  // Forget the keys that wait.
  dropHeld() {
    this.held = []
    this.onState()
  }

  select(index, at) {
    if (this.rows[index] === undefined) { return }
    this.index = index
    this.past = false
    this.onRow(at)
  }

  move(step, at) {
    if (this.past && step < 0) {
      this.select(this.index, at)
      return
    }
    const index = this.index + step
    if (index >= 0 && index < this.rows.length) {
      this.select(index, at)
    } else if (index < 0) {
      this.turn(-1, true)
    } else if (this.hasAfter) {
      this.turn(1)
    } else if (this.rows.length) {
      this.past = true // a grade that comes now is meant for a row that does not exist
      this.onState()
    }
  }

  // The page before (-1) or after (1) this one, with its first candidate chosen, or its last.
  turn(direction, fromEnd = false) {
    if (this.turning !== null || this.listing || !(direction > 0 ? this.hasAfter : this.hasBefore)) { return }
    this.turning = {direction, fromEnd}
    if (direction < 0) {
      const {first} = this
      this.request({query: this.query, before: this.rows[0].cursor}, (page) => {
        page.first_rank = first === null ? null : first - page.rows.length
        this.setPage(page, undefined, fromEnd)
      })
    } else if (this.next?.page) {
      this.takeNext()
    } else {
      this.onState()
      this.fetchNext()
    }
  }

  // The rows after the present one, at most `n`, over the end of the page.
  upcoming(n) {
    const own = this.rows.slice(this.index + 1, this.index + 1 + n)
    return [...own, ...(this.next?.page?.rows ?? []).slice(0, n - own.length)]
  }

  // The page is closed: nothing that is on its way is shown any more.
  leave() {
    this.number += 1
    this.next = null
    this.held = []
  }

  setFirst(rank) { this.first = rank }

  // --- inside -----------------------------------------------------------------------------------

  setPage(page, selected, fromEnd = false) {
    this.rows = page.rows
    this.hasBefore = page.has_before
    this.hasAfter = page.has_after
    this.first = page.first_rank ?? null
    this.notices = page.notices ?? []
    this.unscored = page.unscored ?? this.unscored // of a list, and so of all its pages
    this.turning = null
    this.listing = false
    this.past = false
    this.next = null
    const wanted = this.rows.findIndex((row) => row.id === selected)
    this.index = wanted >= 0 ? wanted : fromEnd ? this.rows.length - 1 : this.rows.length ? 0 : -1
    this.onPage()
    this.fetchNext()
    while (this.held.length && this.turning === null) { this.held.shift()() }
    this.onState()
  }

  leaveTurn() {
    this.turning = null
    this.held = []
  }

  // Ask for what is to be shown; a later question of this kind takes the place of an earlier one.
  async request(message, take) {
    const number = ++this.number
    this.onState()
    const page = await this.insist(message, () => number === this.number)
    if (page !== null && number === this.number) { take(page) }
  }

  async fetchNext() {
    if (!this.hasAfter || this.next !== null) { return }
    const next = {page: null}
    this.next = next
    const page = await this.insist({query: this.query, after: this.rows.at(-1).cursor}, () => next === this.next)
    if (next !== this.next) { return }
    if (page === null) {
      this.next = null // refused; asked again at the next turn
      return
    }
    next.page = page
    if (this.turning?.direction > 0) { this.takeNext() } else { this.onState() }
  }

  takeNext() {
    const {page} = this.next
    page.first_rank = this.first === null ? null : this.first + this.rows.length
    this.setPage(page, undefined)
  }

  // The answer to a question, asked again while the server is away and `wanted()`; null: there is none.
  async insist(message, wanted) {
    for (let tries = 0; ; tries++) {
      try {
        const page = await this.ask(message)
        this.setAway(false)
        return page
      } catch (error) {
        if (!wanted()) { return null }
        if (!error.passing) {
          this.listing = false
          this.leaveTurn()
          this.onState()
          this.onProblem(error.message)
          return null
        }
        this.setAway(true)
        await new Promise((resolve) => this.later(resolve, ASK_AGAIN_MS[Math.min(tries, ASK_AGAIN_MS.length - 1)]))
        if (!wanted()) { return null }
      }
    }
  }

  setAway(away) {
    if (away !== this.away) {
      this.away = away
      this.onState()
    }
  }
}
