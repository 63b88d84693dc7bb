// The package has no types of its own: its export is the path of the binary.
declare module "workerd" {
  const binary: { default: string } | string;
  export default binary;
}
