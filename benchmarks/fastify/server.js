// SPDX-License-Identifier: MPL-2.0
// A page of Fastify over MongoDB's driver for Node: the same routes and the same work as bare_driver.py.
//
// Bodies are judged by Ajv, compiled from the same schema; the rows of a list are written by a compiled serializer.
// Usage: node server.js PORT WORKERS URI DATABASE SCHEMA
'use strict'

const cluster = require('node:cluster')
const { randomBytes } = require('node:crypto')
const { readFileSync } = require('node:fs')
const Fastify = require('fastify')
const { MongoClient } = require('mongodb')

const [port, workers, uri, database, schemaFile] = process.argv.slice(2)
const summary = { name: 1, owner_id: 1, enabled: 1, device_type: 1, mac_address: 1 }

async function serve () {
  const client = new MongoClient(uri, { writeConcern: { w: 'majority', journal: true } })
  const devices = client.db(database).collection('devices')
  await devices.createIndex({ account: 1, _id: 1 })

  // Judge only: what Fastify changes in a body unless told otherwise, the other servers leave as it is.
  const judgeOnly = { coerceTypes: false, removeAdditional: false, useDefaults: false, strict: false }
  const app = Fastify({ ajv: { customOptions: judgeOnly } })
  const { definitions } = JSON.parse(readFileSync(schemaFile, 'utf8'))
  const device = {
    type: 'object', required: ['data'], properties: { data: { $ref: '#/definitions/devices' } }, definitions
  }
  const text = { type: 'string' }
  const row = {
    type: 'object',
    properties: {
      _id: text, name: text, owner_id: text, enabled: { type: 'boolean' }, device_type: text, mac_address: text
    }
  }
  const root = '/accounts/:account/devices'

  app.get(`${root}/:id`, async (request, reply) => {
    const found = await devices.findOne({ _id: request.params.id })
    return found ?? reply.code(404).send({})
  })

  app.get(root, { schema: { response: { 200: { type: 'array', items: row } } } }, async (request) => {
    const query = { account: request.params.account }
    return devices.find(query, { projection: summary }).sort({ _id: -1 }).limit(50).toArray()
  })

  app.put(root, { schema: { body: device } }, async (request, reply) => {
    const data = { ...request.body.data, _id: randomBytes(16).toString('hex'), account: request.params.account }
    await devices.insertOne(data)
    return reply.code(201).send(data)
  })

  app.post(`${root}/:id`, { schema: { body: device } }, async (request, reply) => {
    const stored = await devices.findOne({ _id: request.params.id })
    if (stored === null) return reply.code(400).send({})
    const data = { ...request.body.data, _id: stored._id, account: stored.account }
    await devices.replaceOne({ _id: stored._id }, data)
    return data
  })

  app.patch(`${root}/:id`, async (request, reply) => {
    const stored = await devices.findOne({ _id: request.params.id })
    if (stored === null) return reply.code(404).send({})
    Object.assign(stored, request.body.data)
    await devices.replaceOne({ _id: stored._id }, stored)
    return stored
  })

  await app.listen({ host: '127.0.0.1', port: Number(port) })
}

if (cluster.isPrimary && Number(workers) > 1) {
  for (let number = 0; number < Number(workers); number++) cluster.fork()
} else {
  serve()
}
