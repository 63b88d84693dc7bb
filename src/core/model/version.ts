// The Consul whose interfaces this speaks.

export const consulVersion = "1.8.7";
