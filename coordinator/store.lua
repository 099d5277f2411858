#!lua name=trawl_1

-- The steps of a crawl, each one call of a function `trawl_1_STEP` and so atomic. KEYS[1] is P, the
-- prefix of all keys of a job; ARGV[1] is the epoch of the coordinator that calls. A call of
-- another epoch is answered "STALE ..." and changes nothing. Nothing rolls back here, so that a
-- function raises its errors before its first write.
--
--   P = "trawl:{" JOB "}:"                 D: a depth     B: a bucket's number
--                                          HOST: authority of a canonical URL
--   P job             hash    state seeds sitemaps options out started finished ...  what the coordinator saves
--                             epoch         the coordinator in charge
--                             round         depth of the open round; nothing moves out of it
--                             deepest       the greatest depth that a round or an entry has had
--                             outbox_first  number of the outbox's first item
--                             pages_per_host hosts_per_domain   limits; 0: none
--   P stats           hash    counters; of them `leased` and `delayed` go down too
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
--   P seen            fingerprint set of all admitted URLs
--   P beyond:D        fingerprint set of URLs that were found at D, deeper than the crawl goes, and
--                             posted for one that goes deeper; while D > round
--   P waiting:D       fingerprint set of the URLs in the frontier at D, while D > round
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
-- Where the candidates begin in the arguments of `admit`, and in a report to `accept`.
local FIRST_TO_ADMIT = 7
local FIRST_LINK = 19
-- The fields of a lease's hash that are not URLs.
local LEASE_FIELDS = 4
local HOSTS_A_PAGE = 10000
local LEASES_A_PAGE = 500

local COUNTERS = { 'admitted', 'fetched', 'redirected', 'failed', 'bytes', 'links', 'retries',
                   'leases_expired', 'leased', 'moved', 'reports_refused', 'delayed' }

-- Why a limit drops a candidate: as its admission, and in the counters.
local DROPPED = { P = 'pages_per_host', D = 'hosts_per_domain' }

-- redis.call, from the first step on: while a library is loaded there is none. A local is quicker.
local call

-- COMMAND key values[start]..., in as many commands as it takes; pairs of values stay together.
-- Returns the sum of the replies, if these are numbers, and the last one.
local function call_in_chunks(command, key, values, start)
  local sum, reply = 0, nil
  for first = start or 1, #values, CHUNK do
    reply = call(command, key, unpack(values, first, math.min(first + CHUNK - 1, #values)))
    if type(reply) == 'number' then sum = sum + reply end
  end
  return sum, reply
end

local function host_of(url)
  return string.match(url, '^https?://([^/?]+)')
end

local function url_of(entry)
  return string.match(entry, '^[^ ]+')
end

-- include fingerprint_set.lua

---- The job, for the length of one call ----
--
-- Counters, new entries of host queues, what leaves leases and the sizes of fingerprint sets are
-- gathered here and written once, by save(): a command costs more than what it does.

local Job = {}
Job.__index = Job

-- Raises STALE when another coordinator has taken the job over.
function Job.open(prefix, epoch)
  local fields = call('HMGET', prefix .. 'job', 'epoch', 'round', 'deepest', 'pages_per_host',
                      'hosts_per_domain')
  if fields[1] ~= epoch then
    error(redis.error_reply('STALE epoch ' .. epoch .. ': the job is at ' .. (fields[1] or 'none')))
  end
  return setmetatable({
    prefix = prefix,
    round = tonumber(fields[2]),
    deepest = tonumber(fields[3]),
    pages_per_host = tonumber(fields[4] or 0),
    hosts_per_domain = tonumber(fields[5] or 0),
    domains = {},  -- host -> the domain that it counts against
    sets = {},
    counts = {},
    counters = {},  -- depth -> key of the round's counters
    entries = {},   -- host queue's key -> its new entries, and where it is
    leases = {},    -- id -> what is known of a lease, and what leaves it
  }, Job)
end

function Job:save()
  self:push_entries()
  self:save_leases()
  for _, set in pairs(self.sets) do set:save() end
  for key, counts in pairs(self.counts) do
    for field, change in pairs(counts) do call('HINCRBY', key, field, change) end
  end
end

function Job:set(name)
  local set = self.sets[name]
  if not set then
    set = FingerprintSet.open(self.prefix .. name)
    self.sets[name] = set
  end
  return set
end

local function count(job, key, field, change)
  local counts = job.counts[key] or {}
  job.counts[key] = counts
  counts[field] = (counts[field] or 0) + change
end

function Job:count(field, change)
  count(self, self.prefix .. 'stats', field, change)
end

function Job:count_round(depth, field, change)
  local key = self.counters[depth]
  if not key then
    key = self.prefix .. 'round:' .. depth
    self.counters[depth] = key
  end
  count(self, key, field, change)
end

-- For what the job and the round of a depth both count.
function Job:count_both(depth, field, change)
  self:count(field, change)
  self:count_round(depth, field, change)
end

function Job:post(item)
  call('RPUSH', self.prefix .. 'outbox', item)
end

function Job:reach(depth)
  if depth <= self.deepest then return end
  self.deepest = depth
  call('HSET', self.prefix .. 'job', 'deepest', depth)
end

-- A field of a hash of the job, with the changes of this call; nil when it was never counted.
function Job:counted(name, field)
  local key = self.prefix .. name
  local change = self.counts[key] and self.counts[key][field]
  local saved = call('HGET', key, field)
  return (saved or change) and tonumber(saved or 0) + (change or 0)
end

-- `change` is 0 for what is no page, which makes the host a known one all the same.
function Job:count_page(host, change)
  count(self, self.prefix .. 'pages_of_host', host, change)
end

---- Host queues ----

-- The keys of a host queue: its list, its void entries, and the set of its depth's hosts.
function Job:queue(depth, host)
  local place = depth .. ':' .. host
  return self.prefix .. 'frontier:' .. place, self.prefix .. 'moved:' .. place,
         self.prefix .. 'hosts:' .. depth
end

-- An entry that comes back.
function Job:push_front(depth, host, entry)
  local queue, _, hosts = self:queue(depth, host)
  if call('LPUSH', queue, entry) == 1 then call('SADD', hosts, host) end
end

-- A new entry, at the end of the call or sooner.
function Job:push_later(depth, host, entry)
  local queue, _, hosts = self:queue(depth, host)
  local new = self.entries[queue]
  if not new then
    new = { hosts = hosts, host = host }
    self.entries[queue] = new
  end
  new[#new + 1] = entry
end

function Job:push_entries()
  for queue, new in pairs(self.entries) do
    local _, length = call_in_chunks('RPUSH', queue, new)
    if length == #new then call('SADD', new.hosts, new.host) end
  end
  self.entries = {}
end

-- Deletes a host queue in which nothing waits.
function Job:drop_if_idle(depth, host)
  self:push_entries()
  local queue, moved, hosts = self:queue(depth, host)
  if call('LLEN', queue) > call('SCARD', moved) then return end
  call('DEL', queue, moved)
  call('SREM', hosts, host)
end

-- Takes up to `count` entries off a host queue's front, without the void ones.
function Job:pop(depth, host, count)
  local queue, moved = self:queue(depth, host)
  local void = call('SCARD', moved)
  local taken = {}
  while #taken < count do
    local entries = call('LPOP', queue, count - #taken)
    if not entries then break end
    for _, entry in ipairs(entries) do
      if void > 0 and call('SREM', moved, url_of(entry)) == 1 then
        void = void - 1
      else
        taken[#taken + 1] = entry
      end
    end
  end
  self:drop_if_idle(depth, host)
  return taken
end

---- Admission ----

-- Raises BAD unless args[first], args[first + 1], ... are pairs of a fingerprint and a URL that has
-- a host and no blank: the least that keeps keys and entries sound.
local function check_candidates(args, first)
  local find = string.find
  for i = first, #args, 2 do
    local url = args[i + 1] or ''
    if not find(url, '^https?://[^/?]') or find(url, ' ', 1, true) then
      error(redis.error_reply('BAD candidate: ' .. args[i] .. ' ' .. url))
    end
  end
end

-- The parts of an entry, all of them.
local function parts_of(entry)
  local url, referrer, attempt, hops, losses, sitemap =
      string.match(entry, '^([^ ]+) ?([^ ]*) ?(%d*) ?(%d*) ?(%d*) ?(%d*)$')
  return {
    url = url,
    referrer = referrer == '-' and '' or referrer,
    attempt = tonumber(attempt) or 0,
    hops = tonumber(hops) or 0,
    losses = tonumber(losses) or 0,
    sitemap = tonumber(sitemap) or 0,
  }
end

local function text_of(parts)
  local text = parts.url
  local sitemap = parts.sitemap or 0
  local counts = { parts.attempt or 0, parts.hops or 0, parts.losses or 0 }
  local counted = sitemap + counts[1] + counts[2] + counts[3] > 0
  if parts.referrer ~= '' or counted then
    text = text .. ' ' .. (parts.referrer == '' and '-' or parts.referrer)
  end
  if counted then text = text .. ' ' .. table.concat(counts, ' ') end
  return sitemap > 0 and text .. ' ' .. sitemap or text
end

-- Voids the entry of a URL that waits at a greater depth. Returns that depth, or nil.
function Job:take_waiting(depth, fingerprint, url)
  for deeper = math.max(depth, self.round) + 1, self.deepest do
    if self:set('waiting:' .. deeper):remove(fingerprint) then
      local host = host_of(url)
      local _, moved = self:queue(deeper, host)
      call('SADD', moved, url)
      self:drop_if_idle(deeper, host)
      return deeper
    end
  end
end

-- Counts a new URL for its host, unless a limit drops it: the key in DROPPED then, else nil.
function Job:admit_to_host(host, is_page)
  if is_page and self.pages_per_host > 0 and
     (self:counted('pages_of_host', host) or 0) >= self.pages_per_host then
    return 'P'
  end
  local domain = self.domains[host]
  if domain and self.hosts_per_domain > 0 and not self:counted('pages_of_host', host) then
    if (self:counted('hosts_of_domain', domain) or 0) >= self.hosts_per_domain then return 'D' end
    count(self, self.prefix .. 'hosts_of_domain', domain, 1)
  end
  self:count_page(host, is_page and 1 or 0)
end

-- Returns "+" when the URL is new, "=" when it was seen, the depth from which it moved, or a key in
-- DROPPED. `rest`: what follows the URL in its entry.
function Job:admit(depth, fingerprint, url, rest, is_page)
  local from, host
  if self:set('seen'):add(fingerprint) then
    host = host_of(url)
    local drop = self:admit_to_host(host, is_page)
    if drop then
      self:set('seen'):remove(fingerprint)
      self:count('dropped:' .. DROPPED[drop], 1)
      return drop
    end
    self:count('admitted', 1)
  else
    from = self:take_waiting(depth, fingerprint, url)
    if not from then return '=' end
    host = host_of(url)
    self:count('moved', 1)
    self:count_round(from, 'admitted', -1)
    -- What waited at a depth that is not open is no sitemap: those are found at open ones.
    if not is_page then self:count_page(host, -1) end
  end
  self:count_round(depth, 'admitted', 1)
  self:reach(depth)
  self:push_later(depth, host, url .. rest)
  if depth > self.round then self:set('waiting:' .. depth):add_later(fingerprint) end
  return from or '+'
end

-- Admits the pairs in args[first] ... args[last] and returns what came of each, parted by blanks.
-- `rest`: what follows the URL in their entries.
function Job:admit_all(depth, args, first, last, rest, is_page)
  local admissions = {}
  for i = first, last, 2 do
    local url = args[i + 1]
    admissions[#admissions + 1] = self:admit(depth, args[i], url, rest, is_page)
  end
  return table.concat(admissions, ' ')
end

-- Posts those of the pairs in args[first] ... args[last] that are new as found at a depth that is
-- not crawled.
function Job:post_beyond(depth, args, first, last, referrer)
  local beyond, urls = self:set('beyond:' .. depth), {}
  for i = first, last, 2 do
    if not self:set('seen'):contains(args[i]) and beyond:add(args[i]) then
      urls[#urls + 1] = args[i + 1]
    end
  end
  if #urls == 0 then return end
  self:post('beyond ' .. depth .. ' ' .. referrer .. ' ' .. table.concat(urls, ' '))
end

-- "HOST DOMAIN ..."
function Job:read_domains(text)
  for host, domain in string.gmatch(text, '([^ ]+) ([^ ]+)') do self.domains[host] = domain end
end

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
  check_candidates(args, FIRST_TO_ADMIT)
  if depth < 0 then error(redis.error_reply('BAD depth: ' .. depth)) end
  local as_sitemap = text_of({ url = '', referrer = args[3], sitemap = 1 })
  job:read_domains(args[5])
  return {
    job:admit_all(depth, args, FIRST_TO_ADMIT, last_sitemap, as_sitemap, false),
    job:admit_all(depth, args, last_sitemap + 1, #args, rest, true),
  }
end)

-- The indexes of a lease's URLs in order, and its hash as a table.
local function read_lease(key)
  local lease, indexes = {}, {}
  local fields = call('HGETALL', key)
  for i = 1, #fields, 2 do
    lease[fields[i]] = fields[i + 1]
    indexes[#indexes + 1] = tonumber(fields[i])
  end
  table.sort(indexes)
  return indexes, lease
end

-- Raises BAD for a depth whose round is not open: what waits there may still move.
local function check_open(job, depth)
  if tonumber(depth) > job.round then
    error(redis.error_reply('BAD depth: the round of depth ' .. depth .. ' is not open'))
  end
end

local function is_on_last_life(entry)
  local losses = string.match(entry, '^[^ ]+ [^ ]+ %d+ %d+ (%d+)')
  return losses and tonumber(losses) >= MAX_LOSSES - 1
end

-- Puts back what may not be leased together with the first entry. Returns how many these were.
function Job:part_last_lives(depth, host, entries)
  for i = 2, #entries do
    if is_on_last_life(entries[1]) or is_on_last_life(entries[i]) then
      local left = #entries - i + 1
      for j = #entries, i, -1 do
        self:push_front(depth, host, entries[j])
        entries[j] = nil
      end
      return left
    end
  end
  return 0
end

-- id worker host depth count connections -> how many of them were left, entries
step('lease', function(job, args)
  local id, worker, host, depth, count, connections = unpack(args, 2)
  local key = job.prefix .. 'lease:' .. id
  local indexes, lease = read_lease(key)
  local entries = {}
  for i, index in ipairs(indexes) do entries[i] = lease[tostring(index)] end
  if #entries > 0 then return { 0, entries } end

  check_open(job, depth)
  entries = job:pop(depth, host, tonumber(count))
  if #entries == 0 then return { 0, entries } end
  local left = job:part_last_lives(depth, host, entries)
  local fields = { 'worker', worker, 'host', host, 'depth', depth, 'connections', connections }
  for i, entry in ipairs(entries) do
    fields[#fields + 1] = tostring(i - 1)
    fields[#fields + 1] = entry
  end
  call_in_chunks('HSET', key, fields)
  call('SADD', job.prefix .. 'leases', id)
  job:count_both(depth, 'leased', #entries)
  return { left, entries }
end)

---- How URLs leave a lease ----

function Job:fail(depth, host, entry, word)
  if parts_of(entry).sitemap == 0 then self:count_page(host, -1) end
  self:count_both(depth, 'failed', 1)
  self:count('failed:' .. word, 1)
end

function Job:refuse(id, index)
  self:post('refused ' .. id .. ' ' .. index)
end

-- A lease whose URLs are reported.
function Job:lease(id)
  local lease = self.leases[id]
  if lease then return lease end
  local key = self.prefix .. 'lease:' .. id
  local fields = call('HMGET', key, 'depth', 'host')
  lease = { key = key, depth = tonumber(fields[1]), host = fields[2], ended = {}, has_ended = {} }
  self.leases[id] = lease
  return lease
end

-- Takes what has ended off the leases, and deletes those that hold nothing any more.
function Job:save_leases()
  for id, lease in pairs(self.leases) do
    call_in_chunks('HDEL', lease.key, lease.ended)
    if #lease.ended > 0 and call('HLEN', lease.key) == LEASE_FIELDS then
      call('DEL', lease.key)
      call('SREM', self.prefix .. 'leases', id)
    end
  end
end

function Job:release(depth, urls)
  self:count_both(depth, 'leased', -urls)
end

-- endings[KIND](job, url, report): `url` is the leased URL (id, index, depth, host, entry),
-- `report` what the worker says of it. Returns the target's admission, if there is one.
local endings = {}

function endings.fetched(job, url)
  job:count_both(url.depth, 'fetched', 1)
end

function endings.redirected(job, url, report)
  job:count_both(url.depth, 'redirected', 1)
  local leased = parts_of(url.entry)
  local is_page = leased.sitemap == 0
  if is_page then job:count_page(url.host, -1) end
  local outcome, admission = report.refusal, nil
  if report.target_url ~= '' then
    admission = job:admit(url.depth, report.target_fingerprint, report.target_url, text_of({
      url = '',
      referrer = leased.referrer,
      hops = tonumber(report.target_hops),
      sitemap = leased.sitemap,
    }), is_page)
    outcome = DROPPED[admission] or (admission == '=' and 'seen' or 'admitted')
  end
  job:post('redirected ' .. outcome .. ' ' .. report.row)
  return admission
end

function endings.failed(job, url, report)
  job:fail(url.depth, url.host, url.entry, report.word)
  job:post('failed ' .. report.row)
end

function endings.retried(job, url, report)
  local parts = parts_of(url.entry)
  parts.attempt = parts.attempt + 1
  call('ZADD', job.prefix .. 'delayed', report.not_before, url.depth .. ' ' .. text_of(parts))
  job:count('retries', 1)
  job:count_both(url.depth, 'delayed', 1)
end

function endings.returned(job, url)
  job:push_front(url.depth, url.host, url.entry)
  job:refuse(url.id, url.index)
end

local function finish(job, url, report)
  job:release(url.depth, 1)
  url.lease.ended[#url.lease.ended + 1] = url.index
  url.lease.has_ended[url.index] = true
  if report.kind ~= 'returned' and report.kind ~= 'retried' then
    job:count('bytes', tonumber(report.bytes))
    job:count('links', tonumber(report.links))
  end
  return endings[report.kind](job, url, report)
end

-- The arguments of one report:
--   lease index kind word bytes links row refusal target_hops target_fingerprint target_url
--   is_sitemap drops domains not_before paused_until sitemaps beyond (fingerprint url)*
-- Kind: a key of `endings`, or "" when more of the report follows. Drops: "WORD COUNT ...".
-- Paused_until: "" when the host is not to be left alone. The first `sitemaps` pairs are sitemaps,
-- the last `beyond` ones links that lead too deep, the others links.

local function check_report(args)
  if args[11] ~= '' then check_candidates({ args[10], args[11] }, 1) end
  check_candidates(args, FIRST_LINK)
end

-- Returns false when it is refused, else admissions of the sitemaps, of the links and of the target.
local function accept(job, args)
  local id, index = args[1], args[2]
  local report = {
    kind = args[3], word = args[4], bytes = args[5], links = args[6], row = args[7],
    refusal = args[8], target_hops = args[9], target_fingerprint = args[10],
    target_url = args[11], not_before = args[15],
  }
  local lease = job:lease(id)
  local entry = lease.depth and not lease.has_ended[index] and call('HGET', lease.key, index)
  if not entry then
    if report.kind ~= '' then job:count('reports_refused', 1) end
    return false
  end
  local host = lease.host
  local url = { id = id, index = index, lease = lease, depth = lease.depth, host = host,
                entry = entry }
  local depth_of_links = args[12] == '1' and url.depth or url.depth + 1
  local last_sitemap = FIRST_LINK + 2 * tonumber(args[17]) - 1
  if args[16] ~= '' then call('ZADD', job.prefix .. 'paused', 'GT', args[16], host) end
  job:read_domains(args[14])
  for word, count in string.gmatch(args[13], '([^ ]+) (%d+)') do
    job:count('dropped:' .. word, tonumber(count))
  end
  local sitemaps = ''
  if last_sitemap > FIRST_LINK then
    local leased = parts_of(entry)
    local as_nested =
        text_of({ url = '', referrer = leased.referrer, sitemap = leased.sitemap + 1 })
    sitemaps = job:admit_all(depth_of_links, args, FIRST_LINK, last_sitemap, as_nested, false)
  end
  local last_link = #args - 2 * tonumber(args[18])
  local links =
      job:admit_all(depth_of_links, args, last_sitemap + 1, last_link, ' ' .. url_of(entry), true)
  if last_link < #args then
    job:post_beyond(depth_of_links, args, last_link + 1, #args, url_of(entry))
  end
  local target = report.kind ~= '' and finish(job, url, report)
  return { sitemaps, links, target and tostring(target) or '' }
end

-- (number of arguments, the arguments of a report)* -> what came of each, in order
step('accept', function(job, args)
  local reports, at = {}, 2
  while at <= #args do
    local last, report = at + tonumber(args[at]), {}
    for i = at + 1, last do report[i - at] = args[i] end
    check_report(report)
    reports[#reports + 1] = report
    at = last + 1
  end
  local replies = {}
  for i, report in ipairs(reports) do replies[i] = accept(job, report) end
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

-- The entry with one loss more, and its losses then.
local function with_loss(entry)
  local parts = parts_of(entry)
  parts.losses = parts.losses + 1
  return text_of(parts), parts.losses
end

-- lease blame -> returned, given up
step('expire', function(job, args)
  local id, blame = args[2], args[3] == '1'
  local key = job.prefix .. 'lease:' .. id
  local indexes, lease = read_lease(key)
  if #indexes == 0 then return { 0, 0 } end

  local returned = {}
  for _, index in ipairs(indexes) do
    local entry, losses = lease[tostring(index)], 0
    if blame then entry, losses = with_loss(entry) end
    job:refuse(id, index)
    if blame and losses >= MAX_LOSSES then
      job:fail(lease.depth, lease.host, entry, 'worker_lost')
      job:post('given_up worker_lost ' .. lease.depth .. ' ' .. entry)
    else
      returned[#returned + 1] = entry
    end
  end
  for i = #returned, 1, -1 do job:push_front(lease.depth, lease.host, returned[i]) end
  call('DEL', key)
  call('SREM', job.prefix .. 'leases', id)
  job:release(lease.depth, #indexes)
  if blame then job:count('leases_expired', 1) end
  return { #returned, #indexes - #returned }
end)

-- host depth count word -> given up
step('give_up', function(job, args)
  local host, depth, word = args[2], args[3], args[5]
  check_open(job, depth)
  local entries = job:pop(depth, host, tonumber(args[4]))
  for _, entry in ipairs(entries) do
    job:fail(depth, host, entry, word)
    job:post('given_up ' .. word .. ' ' .. depth .. ' ' .. entry)
  end
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
  if depth > job.round then call('HSET', job.prefix .. 'job', 'round', depth) end
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
  local _, _, hosts = job:queue(depth, '')
  local page = call('SSCAN', hosts, args[3], 'COUNT', HOSTS_A_PAGE)
  local reply = { page[1] }
  for _, host in ipairs(page[2]) do
    local queue, moved = job:queue(depth, host)
    reply[#reply + 1] = host
    reply[#reply + 1] = call('LLEN', queue) - call('SCARD', moved)
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

-- Whether the job was made by the very call that comes once more, as its answer was lost.
local function is_created_again(prefix, fields)
  local started = field_of(fields, 'started')
  return started and call('HGET', prefix .. 'job', 'started') == started
end

-- mode (field value)* -> the job's fields, stats, (admitted leased fetched redirected failed
-- delayed)* by depth, (paused host, until)*. Raises USAGE when mode is "create" and the job is
-- there, or "resume" and it is not, and "RULES ..." when the job's field `rules` is another. The
-- fields are for a new job.
redis.register_function('trawl_1_open', function(keys, args)
  call = redis.call
  local prefix, mode = keys[1], table.remove(args, 1)
  local exists = call('EXISTS', prefix .. 'job') == 1
  if mode == 'create' and exists and not is_created_again(prefix, args) then
    error(redis.error_reply('USAGE the job exists'))
  end
  if mode == 'resume' and not exists then error(redis.error_reply('USAGE there is no such job')) end
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
    local bucket = FingerprintSet.open(prefix .. 'seen'):bucket_of(fingerprint)

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

    local depths = {}
    for depth = 0, tonumber(call('HGET', prefix .. 'job', 'deepest') or 0) do
      if call('EXISTS', prefix .. 'frontier:' .. depth .. ':' .. host) == 1 then
        depths[#depths + 1] = depth
      end
    end
    return { call('SISMEMBER', bucket, fingerprint), holder, depths }
  end,
})
