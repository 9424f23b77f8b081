/**
 * Flume's AvroSourceProtocol: its exact text and the hashes that peers know it by.
 *
 * The hash is the MD5 of the UTF-8 bytes of the compact JSON text, `doc` included. The text is what
 * Avro's IDL compiler makes of Flume's protocol file; the hashes are written out, because MD5 is not
 * available everywhere (FIPS), and a test compares them with the text.
 */

const LICENSE_LINES = [
  '* Licensed to the Apache Software Foundation (ASF) under one',
  ' * or more contributor license agreements.  See the NOTICE file',
  ' * distributed with this work for additional information',
  ' * regarding copyright ownership.  The ASF licenses this file',
  ' * to you under the Apache License, Version 2.0 (the',
  ' * "License"); you may not use this file except in compliance',
  ' * with the License.  You may obtain a copy of the License at',
  ' *',
  ' * http://www.apache.org/licenses/LICENSE-2.0',
  ' *',
  ' * Unless required by applicable law or agreed to in writing,',
  ' * software distributed under the License is distributed on an',
  ' * "AS IS" BASIS, WITHOUT WARRANTIES OR CONDITIONS OF ANY',
  ' * KIND, either express or implied.  See the License for the',
  ' * specific language governing permissions and limitations',
  ' * under the License.',
]

/** Symbols of the protocol's `Status`, in wire order. */
export const STATUS_SYMBOLS = ['OK', 'FAILED', 'UNKNOWN'] as const

/** The protocol as Avro's JSON writes it; the order of the keys is part of the hash. */
export const SOURCE_PROTOCOL = {
  protocol: 'AvroSourceProtocol',
  namespace: 'org.apache.flume.source.avro',
  doc: LICENSE_LINES.join('\n'),
  types: [
    { type: 'enum', name: 'Status', symbols: STATUS_SYMBOLS },
    {
      type: 'record',
      name: 'AvroFlumeEvent',
      fields: [
        { name: 'headers', type: { type: 'map', values: 'string' } },
        { name: 'body', type: 'bytes' },
      ],
    },
  ],
  messages: {
    append: { request: [{ name: 'event', type: 'AvroFlumeEvent' }], response: 'Status' },
    appendBatch: {
      request: [{ name: 'events', type: { type: 'array', items: 'AvroFlumeEvent' } }],
      response: 'Status',
    },
  },
} as const

/** The 1,334 bytes that are hashed and sent. */
export const SOURCE_PROTOCOL_TEXT = JSON.stringify(SOURCE_PROTOCOL)

/** MD5 of {@link SOURCE_PROTOCOL_TEXT}, as Flume 1.3 to 1.11 send it. */
export const SOURCE_PROTOCOL_HASH = Buffer.from('86aadae2c45474c0fe93ffd0f2350a65', 'hex')

/** The hash of Flume 1.2, whose text names Java's String in the headers map; the bytes of events are the same. */
export const FLUME_1_2_PROTOCOL_HASH = Buffer.from('9149bd5d5fd2aa158af87736b72f2694', 'hex')
