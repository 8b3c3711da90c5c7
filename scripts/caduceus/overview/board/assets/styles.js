// Gives the page's nonce to style elements that scripts make, such as those of BokehJS.
//
// The content policy refuses any other: BokehJS knows no nonce, and what stands in the page as text
// can't become a style. This script runs before BokehJS is loaded.

{
  const { nonce } = document.currentScript;
  const createElement = Document.prototype.createElement;

  Document.prototype.createElement = function (name, options) {
    const made = createElement.call(this, name, options);
    if (made instanceof HTMLStyleElement) made.nonce = nonce;
    return made;
  };
}
