#!lua name=trawl_1

-- The steps of a crawl, each one call of a function `trawl_1_STEP` and so atomic. KEYS[1] is P, the
-- prefix of all keys of a job; ARGV[1] is the epoch of the coordinator that calls. A call of
-- another epoch is answered "STALE ..." and changes nothing. Nothing rolls back here, so that a
-- function raises its errors before its first write.
--
--   P = "trawl:{" JOB "}:"                 D: a depth     B: a bucket's number
--                                          HOST: authority of a canonical URL
--   P job             hash    state seeds sitemaps options out started finished ...  what the coordinator saves
--                             coordinator   who is in charge
--                             epoch         how often one has taken charge
--                             round         depth of the open round; nothing moves out of it
--                             deepest       the greatest depth that a round or an entry has had
--                             outbox_first  number of the outbox's first item
--                             pages_per_host hosts_per_domain   limits; 0: none
--   P stats           hash    counters; `leased` and `delayed` go down too, and all that counts how a
--                             URL has ended when that moves
--   P round:D         hash    admitted leased fetched redirected failed delayed
--   P frontier:D:HOST list    entries: URL [SP REFERRER|"-" [SP ATTEMPT SP HOPS SP LOSSES
--                             [SP SITEMAP]]]
--   P moved:D:HOST    set     URLs whose entry in frontier:D:HOST is void, as they moved to a
--                             smaller depth; always fewer than the list's entries
--   P hosts:D         set     HOSTs whose list at D exists
--   P delayed         zset    "D ENTRY" of URLs that are to be tried again, by their time
--   P paused          zset    HOSTs that are to be left alone, by the end of that; some may be over.
--                             Times are milliseconds of the Unix epoch
--   P lease:ID        hash    worker host depth connections; "0" "1" ... -> entry, while leased
--   P leases          set     IDs of the live leases
--   P pages_of_host   hash    HOST -> its pages that are fetched or are to be; each host that was
--                             ever admitted
--   P hosts_of_domain hash    registrable domain -> hosts admitted while there was a limit
--   P ahead           hash    URL -> what has become of it, of each that was leased at depth round + 1
--                             and is not back in its queue: "leased", "delayed ENTRY",
--                             "fetched ID INDEX BYTES LINKS", "redirected ITEM" or
--                             "failed ITEM WORD"; ITEM: number of its row in the outbox
--   P moving          hash    URL -> "D ENTRY" of each that has moved to D while it was leased: where
--                             it waits when it leaves its lease. It counts as leased at D
--   P seen            fingerprint set of all admitted URLs
--   P beyond:D        fingerprint set of URLs that were found at D, deeper than the crawl goes, and
--                             posted for one that goes deeper; while D > round
--   P waiting:D       fingerprint set of the URLs admitted at D, while D > round
--   P outbox          list    result rows that only these functions could decide
--   P workers         hash    worker -> JSON
--   P control         string  written by people
--   P robots:ORIGIN   hash    of an origin's robots.txt, until it expires: state (rules allow_all
--                             failing given_up) http_status fetched expires; body; failures reason
--                             detail next_try. Times are there twice, as NAME_ms for programs.
--
--   A fingerprint set K is   K    hash   level split size
--                            K:B  set    of decimal numbers, kept as an intset by Redis
--
-- At all times, over the job and at each depth:
--   admitted = entries in lists - moved + delayed + leased + fetched + redirected + failed

-- The loss that ends a URL.
local MAX_LOSSES = 3
-- Values passed to one command: Lua's unpack() has a limit of some thousands.
local CHUNK = 500
-- Where the candidates begin in the arguments of `admit`.
local FIRST_TO_ADMIT = 7
local HOSTS_A_PAGE = 10000
local LEASES_A_PAGE = 500

local COUNTERS = { 'admitted', 'fetched', 'redirected', 'failed', 'bytes', 'links', 'retries',
                   'leases_expired', 'leased', 'moved', 'reports_refused', 'delayed' }

-- redis.call, from the first step on: while a library is loaded there is none. A local is quicker.
local call

-- COMMAND key values[start] ... values[last], in as many commands as it takes; pairs of values stay
-- together. Returns the sum of the replies, if these are numbers, and the last one.
local function call_in_chunks(command, key, values, start, last)
  local sum, reply = 0, nil
  last = last or #values
  for first = start or 1, last, CHUNK do
    reply = call(command, key, unpack(values, first, math.min(first + CHUNK - 1, last)))
    if type(reply) == 'number' then sum = sum + reply end
  end
  return sum, reply
end

-- The decimal text of a whole number. That of small ones is kept, as it takes longer to make than
-- to find.
local texts = {}
local function text_of_number(number)
  local text = texts[number]
  if not text then
    text = string.format('%d', number)
    if number < 10000 then texts[number] = text end
  end
  return text
end

-- The parts, which the build puts in here; later ones use earlier ones.
-- include fingerprint_set.lua
-- include job.lua
-- include host_queues.lua
-- include admission.lua
-- include ahead.lua
-- include leases.lua
-- include reports.lua

---- Steps ----

-- Registers run(job, args); args[1] is the epoch. The comment at each step tells
-- args[2], ... -> the reply.
local function step(name, run)
  redis.register_function('trawl_1_' .. name, function(keys, args)
    call = redis.call
    local job = Job.open(keys[1], args[1])
    local reply = run(job, args)
    job:save()
    return reply
  end)
end

-- depth sitemap_referrer referrer domains sitemaps (fingerprint url)* -> admissions of the sitemaps
-- and of the rest. The first `sitemaps` pairs are sitemaps; referrer: "" of seeds.
step('admit', function(job, args)
  local depth = tonumber(args[2])
  local last_sitemap = FIRST_TO_ADMIT + 2 * tonumber(args[6]) - 1
  local rest = args[4] == '' and '' or ' ' .. args[4]
  check_candidates(args, FIRST_TO_ADMIT, #args)
  if depth < 0 then error(redis.error_reply('BAD depth: ' .. depth)) end
  local as_sitemap = text_of({ url = '', referrer = args[3], sitemap = 1 })
  job:read_domains(args[5])
  return {
    job:admit_all(depth, args, FIRST_TO_ADMIT, last_sitemap, as_sitemap, false),
    job:admit_all(depth, args, last_sitemap + 1, #args, rest, true),
  }
end)

-- (id worker host depth count connections)* -> (how many of them were left, entries) of each, or an
-- error in its place
step('lease', function(job, args)
  local replies = {}
  for i = 2, #args, 6 do replies[#replies + 1] = job:new_lease(unpack(args, i, i + 5)) end
  return replies
end)

-- the arguments of each report -> what came of each, in order
step('accept', function(job, args)
  local reports, replies = {}, {}
  local at, last = 2, #args
  while at <= last do
    local report = read_report(args, at)
    reports[#reports + 1] = report
    at = report.last + 1
  end
  job:read_leases(reports)
  for i, report in ipairs(reports) do replies[i] = accept(job, args, report) end
  return replies
end)

-- now limit all -> the time of the next or "", (host depth woken)*
step('wake', function(job, args)
  local now, delayed = args[2], job.prefix .. 'delayed'
  call('ZREMRANGEBYSCORE', job.prefix .. 'paused', '-inf', now)
  local latest = args[4] == '1' and '+inf' or now
  local due = call('ZRANGEBYSCORE', delayed, '-inf', latest, 'LIMIT', 0, args[3])
  local woken, places = {}, {}
  for i = #due, 1, -1 do
    local depth, entry = string.match(due[i], '^(%d+) (.*)$')
    local host = host_of(entry)
    local place = depth .. ' ' .. host
    if not woken[place] then places[#places + 1] = { host, depth, place } end
    woken[place] = (woken[place] or 0) + 1
    job:push_front(depth, host, entry)
    job:count_both(depth, 'delayed', -1)
  end
  call_in_chunks('ZREM', delayed, due)
  local reply = { call('ZRANGE', delayed, 0, 0, 'WITHSCORES')[2] or '' }
  for _, place in ipairs(places) do
    reply[#reply + 1] = place[1]
    reply[#reply + 1] = place[2]
    reply[#reply + 1] = woken[place[3]]
  end
  return reply
end)

-- lease blame -> returned and given up at the lease's depth, (depth, 1 if it is given up else 0)* of
-- those that have moved
step('expire', function(job, args)
  local id, blame = args[2], args[3] == '1'
  local key = job.prefix .. 'lease:' .. id
  local indexes, lease = read_lease(key)
  if #indexes == 0 then return { 0, 0 } end

  local reply, returned = { 0, 0 }, {}
  for _, index in ipairs(indexes) do
    local entry, losses = lease[tostring(index)], 0
    local depth, moved_entry = job:moved_to(entry)
    local has_moved = depth ~= nil
    if has_moved then
      job:end_move(entry)
      entry = moved_entry
    else
      depth = lease.depth
    end
    if blame then entry, losses = with_loss(entry) end
    local given_up = blame and losses >= MAX_LOSSES
    job:refuse(id, index)
    job:release(depth, 1)
    if given_up then
      job:give_up(depth, lease.host, entry, 'worker_lost')
    else
      returned[#returned + 1] = { depth, entry }
    end
    if has_moved then
      reply[#reply + 1] = depth
      reply[#reply + 1] = given_up and 1 or 0
    else
      local place = given_up and 2 or 1
      reply[place] = reply[place] + 1
    end
  end
  for i = #returned, 1, -1 do job:push_front(returned[i][1], lease.host, returned[i][2]) end
  call('DEL', key)
  call('SREM', job.prefix .. 'leases', id)
  if blame then job:count('leases_expired', 1) end
  return reply
end)

-- host depth count word -> given up
step('give_up', function(job, args)
  local host, depth, word = args[2], args[3], args[5]
  if not is_open(depth, job.round) then error(not_open(depth)) end
  local entries = job:pop(depth, host, tonumber(args[4]))
  for _, entry in ipairs(entries) do job:give_up(depth, host, entry, word) end
  return #entries
end)

-- pages_per_host hosts_per_domain
step('set_limits', function(job, args)
  call('HSET', job.prefix .. 'job', 'pages_per_host', args[2], 'hosts_per_domain', args[3])
end)

-- depth
step('open_round', function(job, args)
  local depth = tonumber(args[2])
  for open = job.round + 1, math.min(depth, job.deepest) do
    job:set('waiting:' .. open):delete()
    job:set('beyond:' .. open):delete()
  end
  if depth <= job.round then return end
  call('UNLINK', job.prefix .. 'ahead')
  call('HSET', job.prefix .. 'job', 'round', depth)
end)

-- (field value)*
step('save_job', function(job, args)
  call_in_chunks('HSET', job.prefix .. 'job', args, 2)
end)

-- (worker json)*
step('save_workers', function(job, args)
  call('DEL', job.prefix .. 'workers')
  call_in_chunks('HSET', job.prefix .. 'workers', args, 2)
end)

step('read_control', function(job)
  return call('GET', job.prefix .. 'control') or ''
end)

-- read limit -> number of the first item, items
step('read_outbox', function(job, args)
  local outbox = job.prefix .. 'outbox'
  local first = tonumber(call('HGET', job.prefix .. 'job', 'outbox_first'))
  local read = math.min(tonumber(args[2]) - first, call('LLEN', outbox))
  if read > 0 then
    call('LTRIM', outbox, read, -1)
    first = call('HINCRBY', job.prefix .. 'job', 'outbox_first', read)
  end
  local limit = tonumber(args[3])
  return { first, limit > 0 and call('LRANGE', outbox, 0, limit - 1) or {} }
end)

-- origin now_ms -> (field value)*, none when nothing is known (any more)
step('read_robots', function(job, args)
  local key = job.prefix .. 'robots:' .. args[2]
  local expires = call('HGET', key, 'expires_ms')
  if not expires or tonumber(expires) <= tonumber(args[3]) then return {} end
  return call('HGETALL', key)
end)

-- origin life_ms (field value)*
step('keep_robots', function(job, args)
  local key = job.prefix .. 'robots:' .. args[2]
  call('DEL', key)
  call_in_chunks('HSET', key, args, 4)
  call('PEXPIRE', key, args[3])
end)

---- What a coordinator reads when it starts, after `open` ----

-- depth cursor -> next cursor ("0": no more), (host waiting)*
step('snapshot_queues', function(job, args)
  local depth = args[2]
  local page = call('SSCAN', job:hosts_at(depth), args[3], 'COUNT', HOSTS_A_PAGE)
  local reply = { page[1] }
  for _, host in ipairs(page[2]) do
    local queue = job:queue(depth, host)
    reply[#reply + 1] = host
    reply[#reply + 1] = call('LLEN', queue.list) - call('SCARD', queue.moved)
  end
  return reply
end)

-- cursor -> next cursor ("0": no more), (id worker host depth connections indexes)*
step('snapshot_leases', function(job, args)
  local page = call('SSCAN', job.prefix .. 'leases', args[2], 'COUNT', LEASES_A_PAGE)
  local reply = { page[1] }
  for _, id in ipairs(page[2]) do
    local indexes, lease = read_lease(job.prefix .. 'lease:' .. id)
    for _, value in ipairs({ id, lease.worker, lease.host, lease.depth, lease.connections,
                             table.concat(indexes, ' ') }) do
      reply[#reply + 1] = value
    end
  end
  return reply
end)

---- Taking a job over, without an epoch ----

local function create(prefix, fields)
  call_in_chunks('HSET', prefix .. 'job', fields)
  call('HSET', prefix .. 'job', 'round', 0, 'deepest', 0, 'outbox_first', 0)
  for _, counter in ipairs(COUNTERS) do call('HSET', prefix .. 'stats', counter, 0) end
end

local function field_of(fields, name)
  for i = 1, #fields, 2 do
    if fields[i] == name then return fields[i + 1] end
  end
end

-- mode epoch (field value)* -> the job's fields, stats, (admitted leased fetched redirected failed
-- delayed)* by depth, (paused host, until)*. Raises USAGE when mode is "create" and the job is
-- there, or another and it is not, "STALE" when it is "reopen" and another coordinator has opened
-- the job since `epoch`, and "RULES ..." when the job's field `rules` is another. The fields are for
-- a new job, but for `coordinator`.
redis.register_function('trawl_1_open', function(keys, args)
  call = redis.call
  local prefix, mode, epoch = keys[1], table.remove(args, 1), tonumber(table.remove(args, 1))
  local exists = call('EXISTS', prefix .. 'job') == 1
  local caller = field_of(args, 'coordinator')
  local is_own = caller and call('HGET', prefix .. 'job', 'coordinator') == caller
  -- A creation comes once more when its answer was lost.
  if mode == 'create' and exists and not is_own then
    error(redis.error_reply('USAGE the job exists'))
  end
  if mode ~= 'create' and not exists then
    error(redis.error_reply('USAGE there is no such job'))
  end
  -- A server that has lost its last writes tells who came before, at an epoch that is over.
  if mode == 'reopen' and not is_own and
     tonumber(call('HGET', prefix .. 'job', 'epoch')) >= epoch then
    error(taken_over())
  end
  local rules = exists and call('HGET', prefix .. 'job', 'rules')
  local given = field_of(args, 'rules')
  if rules and given and rules ~= given then error(redis.error_reply('RULES ' .. rules)) end
  if not exists then create(prefix, args) end
  -- A word that has stopped the job has had its effect.
  local state = call('HGET', prefix .. 'job', 'state')
  if call('GET', prefix .. 'control') == 'stop' and state ~= 'running' and state ~= 'paused' then
    call('SET', prefix .. 'control', 'run')
  end
  call('HINCRBY', prefix .. 'job', 'epoch', 1)
  if caller then call('HSET', prefix .. 'job', 'coordinator', caller) end

  local rounds = {}
  for depth = 0, tonumber(call('HGET', prefix .. 'job', 'deepest')) do
    local counts = call('HMGET', prefix .. 'round:' .. depth, 'admitted', 'leased', 'fetched',
                              'redirected', 'failed', 'delayed')
    for _, value in ipairs(counts) do rounds[#rounds + 1] = tonumber(value or 0) end
  end
  return { call('HGETALL', prefix .. 'job'), call('HGETALL', prefix .. 'stats'), rounds,
           call('ZRANGE', prefix .. 'paused', 0, -1, 'WITHSCORES') }
end)

---- Looking a URL up for a person: without an epoch, and for FCALL_RO ----

-- fingerprint url -> 1 when it was seen else 0, (id worker depth entry) of the lease that holds it
-- or nothing, depths at which its host has a queue
redis.register_function({
  function_name = 'trawl_1_find',
  flags = { 'no-writes' },
  callback = function(keys, args)
    call = redis.call
    local prefix, fingerprint, url = keys[1], args[1], args[2]
    local host = host_of(url)
    local bucket = FingerprintSet.open(prefix .. 'seen', {}):bucket_of(fingerprint)

    local holder = {}
    for _, id in ipairs(call('SMEMBERS', prefix .. 'leases')) do
      local key = prefix .. 'lease:' .. id
      if call('HGET', key, 'host') == host then
        local indexes, lease = read_lease(key)
        for _, index in ipairs(indexes) do
          local entry = lease[tostring(index)]
          if url_of(entry) == url then holder = { id, lease.worker, lease.depth, entry } end
        end
      end
    end
    local moving = call('HGET', prefix .. 'moving', url)
    if moving then holder[3], holder[4] = string.match(moving, '^(%d+) (.*)$') end

    local depths = {}
    for depth = 0, tonumber(call('HGET', prefix .. 'job', 'deepest') or 0) do
      if call('EXISTS', prefix .. 'frontier:' .. depth .. ':' .. host) == 1 then
        depths[#depths + 1] = depth
      end
    end
    return { call('SISMEMBER', bucket, fingerprint), holder, depths }
  end,
})
