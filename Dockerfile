# An image with the agent and the command line, for hosts of one's own. The entry point, its variables, and the folders
# are those of Consul's images.
#
#   docker build -t proconsul .
#   docker run --rm -p 8500:8500 -p 8600:8600/udp proconsul

FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY . .
RUN npm ci --no-audit --no-fund && npm run build

FROM node:24-bookworm-slim
COPY --from=build /build/dist /opt/proconsul
COPY .docker/entrypoint.sh /usr/local/bin/docker-entrypoint.sh
RUN ln -s /opt/proconsul/proconsul.mjs /usr/local/bin/proconsul \
  && ln -s /opt/proconsul/proconsul.mjs /usr/local/bin/consul \
  && useradd --system --home-dir /consul --shell /usr/sbin/nologin consul \
  && mkdir -p /consul/data /consul/config \
  && chown -R consul:consul /consul
USER consul
VOLUME /consul/data
# Servers; gossip between agents and between datacenters; HTTP; DNS.
EXPOSE 8300 8301 8301/udp 8302 8302/udp 8500 8600 8600/udp
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["agent", "-dev", "-client", "0.0.0.0"]
