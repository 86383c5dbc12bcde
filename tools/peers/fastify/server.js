// A task from Redis, as a service in JavaScript would answer it: a checked token, one command, an access log.
// Environment: PORT, REDIS_URL, AUTH_JWKS_URL, AUTH_ISSUER, AUTH_AUDIENCE, and BODY, a file with the answer.
import { readFile } from 'node:fs/promises'
import Fastify from 'fastify'
import { Redis } from 'ioredis'
import { createRemoteJWKSet, jwtVerify } from 'jose'

const KEY = 'peers:fastify'
const { BODY, PORT, REDIS_URL, AUTH_JWKS_URL, AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience } = process.env

const redis = new Redis(REDIS_URL)
await redis.set(KEY, await readFile(BODY))
const keys = createRemoteJWKSet(new URL(AUTH_JWKS_URL))
const app = Fastify({ logger: true })

app.addHook('onRequest', async (request, reply) => {
  const token = request.headers.authorization?.replace(/^Bearer /, '') ?? ''
  try {
    request.caller = (await jwtVerify(token, keys, { issuer, audience })).payload
  } catch {
    return reply.code(401).send({ detail: 'the token is not valid' })
  }
})

app.get('/*', async (request, reply) => {
  reply.type('application/json')
  return redis.getBuffer(KEY)
})

await app.listen({ host: '127.0.0.1', port: Number(PORT) })
