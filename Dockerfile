# The image of Lockstep's worker and command line: sources run as they are, on Node 24.
# Not built: no Docker engine was at hand when this was written.

FROM node:24-slim AS base
WORKDIR /app
# Temporal's native client reads the system's certificates; the slim image has none.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates \
  && rm -rf /var/lib/apt/lists/*
COPY package.json package-lock.json .npmrc ./

# What runs: no development dependency.
FROM base AS dependencies
# Not `npm ci`: it refuses the lock file, which lacks optional builds for platforms that were not at hand.
RUN npm install --no-save --omit=dev

# Prisma's client is written from its schema and not kept in git.
FROM base AS generated
RUN npm install --no-save
COPY prisma.config.ts ./
COPY prisma ./prisma
# `generate` asks for an engine it does not use; any file that exists will do.
RUN PRISMA_SCHEMA_ENGINE_BINARY="$(command -v node)" npx prisma generate

FROM base AS lockstep
ENV NODE_ENV=production LOCKSTEP_HOME=/var/lib/lockstep
# The volume mounted here takes over this owner.
RUN install --directory --owner=node --group=node --mode=0700 /var/lib/lockstep
COPY --from=dependencies /app/node_modules ./node_modules
COPY activities ./activities
COPY client ./client
COPY config ./config
COPY connectors ./connectors
COPY engine ./engine
COPY local ./local
COPY store ./store
COPY worker ./worker
COPY workflows ./workflows
COPY --from=generated /app/prisma ./prisma
USER node
ENTRYPOINT ["node", "client/main.ts"]
CMD ["worker"]
