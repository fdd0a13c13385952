// Each component's styles are told apart by a class: a short one, since it stands at every element that has some.
const cssHash = ({ hash, css }) => `s-${hash(css).slice(0, 5)}`;

export default { compilerOptions: { runes: true, cssHash } };
