-- The job, for the length of one call. A part of store.lua.
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
    ahead = {},     -- URL -> what has become of it, or false
  }, Job)
end

function Job:save()
  self:push_entries()
  self:save_leases()
  self:save_ahead()
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
  local key = self.prefix .. name
  local change = self.counts[key] and self.counts[key][field]
  local saved = call('HGET', key, field)
  return (saved or change) and tonumber(saved or 0) + (change or 0)
end

-- `change` is 0 for what is no page, which makes the host a known one all the same.
function Job:count_page(host, change)
  count(self, self.prefix .. 'pages_of_host', host, change)
end
