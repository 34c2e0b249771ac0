// A guide, shown from one of its sections on; links to sections of the same guide are links to the page.

export function render({model}) {
  const article = document.createElement("article")
  article.innerHTML = model.body
  const scroll = () => {
    if (!model.section) { return }
    const heading = article.querySelector(`#${CSS.escape(model.section)}`)
    heading?.scrollIntoView({block: "start"})
  }
  model.on("after_render", scroll)
  requestAnimationFrame(scroll)
  return article
}
