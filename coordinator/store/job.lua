-- The job, for the length of one call. A part of store.lua.
--
-- Counters, new entries of host queues, what leaves leases and the sizes of fingerprint sets are
-- gathered here and written once, by save(): a command costs more than what it does.

local function taken_over()
  return redis.error_reply('STALE another coordinator has taken the job over')
end

local Job = {}
Job.__index = Job

-- Raises STALE when another coordinator has taken the job over, or somebody has deleted it.
function Job.open(prefix, epoch)
  local fields = call('HMGET', prefix .. 'job', 'epoch', 'round', 'deepest', 'pages_per_host',
                      'hosts_per_domain')
  if not fields[1] then error(redis.error_reply('STALE the job is not in Redis any more')) end
  if fields[1] ~= epoch then error(taken_over()) end
  return setmetatable({
    prefix = prefix,
    round = tonumber(fields[2]),
    deepest = tonumber(fields[3]),
    pages_per_host = tonumber(fields[4] or 0),
    hosts_per_domain = tonumber(fields[5] or 0),
    domains = {},  -- host -> the domain that it counts against
    places = {},      -- of fingerprint sets
    sets = {},        -- name -> fingerprint set
    waiting = {},     -- depth -> that of the URLs which wait there
    counts = {},      -- name of a hash -> field -> its change
    both = {},        -- depth -> field -> its change, in the round's hash and in the job's
    queues = {},      -- depth -> host -> host queue
    leases = {},      -- id -> lease of which is reported
    new_leases = {},  -- ids
    ahead = {},       -- URL -> what has become of it, or false
  }, Job)
end

function Job:save()
  self:save_queues()
  self:save_leases()
  self:save_ahead()
  for _, set in pairs(self.sets) do set:save() end
  self:save_counts()
end

function Job:set(name)
  local set = self.sets[name]
  if not set then
    set = FingerprintSet.open(self.prefix .. name, self.places)
    self.sets[name] = set
  end
  return set
end

function Job:waiting_at(depth)
  local set = self.waiting[depth]
  if not set then
    set = self:set('waiting:' .. depth)
    self.waiting[depth] = set
  end
  return set
end

local function count(job, name, field, change)
  local counts = job.counts[name]
  if not counts then
    counts = {}
    job.counts[name] = counts
  end
  counts[field] = (counts[field] or 0) + change
end

function Job:count(field, change)
  count(self, 'stats', field, change)
end

function Job:count_round(depth, field, change)
  count(self, 'round:' .. depth, field, change)
end

-- For what the job and the round of a depth both count.
function Job:count_both(depth, field, change)
  local counts = self.both[depth]
  if not counts then
    counts = {}
    self.both[depth] = counts
  end
  counts[field] = (counts[field] or 0) + change
end

function Job:save_counts()
  for depth, counts in pairs(self.both) do
    for field, change in pairs(counts) do
      self:count(field, change)
      self:count_round(depth, field, change)
    end
  end
  for name, counts in pairs(self.counts) do
    for field, change in pairs(counts) do
      call('HINCRBY', self.prefix .. name, field, change)
    end
  end
end

function Job:post(item)
  self.outbox_length = call('RPUSH', self.prefix .. 'outbox', item)
end

-- The number of the item that was posted last.
function Job:last_item()
  return call('HGET', self.prefix .. 'job', 'outbox_first') + self.outbox_length - 1
end

function Job:reach(depth)
  if depth <= self.deepest then return end
  self.deepest = depth
  call('HSET', self.prefix .. 'job', 'deepest', depth)
end

-- A field of a hash of the job, with the changes of this call; nil when it was never counted.
function Job:counted(name, field)
  local change = self.counts[name] and self.counts[name][field]
  local saved = call('HGET', self.prefix .. name, field)
  return (saved or change) and tonumber(saved or 0) + (change or 0)
end

-- `change` is 0 for what is no page, which makes the host a known one all the same.
function Job:count_page(host, change)
  count(self, 'pages_of_host', host, change)
end
