// Made by "make scripts" from app/help/article.js; edit that. Sources: sha256 02f372fb19de7fec5f45629dfa1f212c0547c320fd7949711ddb0e5f631c9cfd
// app/help/article.js
function render({ model }) {
  const article = document.createElement("article");
  article.innerHTML = model.body;
  const scroll = () => {
    if (!model.section) {
      return;
    }
    const heading = article.querySelector(`#${CSS.escape(model.section)}`);
    heading?.scrollIntoView({ block: "start" });
  };
  model.on("after_render", scroll);
  requestAnimationFrame(scroll);
  return article;
}
export {
  render
};
