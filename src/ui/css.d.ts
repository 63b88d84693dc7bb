// Styles are bundled by what builds the page.
declare module "*.css";
