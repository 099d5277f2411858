-- Leases: what they hold, and how URLs leave them. A part of store.lua, which tells the keys.

-- The fields of a lease's hash that are not URLs.
local LEASE_FIELDS = 4

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

local function is_on_last_life(entry)
  local find = string.find
  local after_url = find(entry, ' ', 1, true)
  local after_referrer = after_url and find(entry, ' ', after_url + 1, true)
  local losses = after_referrer and string.match(entry, '^ %d+ %d+ (%d+)', after_referrer)
  return losses and tonumber(losses) >= MAX_LOSSES - 1
end

-- Puts back what may not be leased together with the first entry. Returns how many these were.
function Job:part_last_lives(depth, host, entries)
  local is_first = is_on_last_life(entries[1])
  for i = 2, #entries do
    if is_first or is_on_last_life(entries[i]) then
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

-- `item`: its row, for the outbox.
function Job:fail(depth, host, entry, word, item)
  if parts_of(entry).sitemap == 0 then self:count_page(host, -1) end
  self:count_both(depth, 'failed', 1)
  self:count('failed:' .. word, 1)
  self:post(item)
  if tonumber(depth) > self.round then
    self:note_ahead(depth, entry, 'failed ' .. self:last_item() .. ' ' .. word)
  end
end

function Job:give_up(depth, host, entry, word)
  self:fail(depth, host, entry, word, 'given_up ' .. word .. ' ' .. depth .. ' ' .. entry)
end

function Job:refuse(id, index)
  self:post('refused ' .. id .. ' ' .. index)
end

-- Whether a depth is not above the greatest that may be touched: what waits there may still move.
local function is_open(depth, greatest)
  return tonumber(depth) <= greatest
end

local function not_open(depth)
  return redis.error_reply('BAD depth: the round of depth ' .. depth .. ' is not open')
end

-- Returns { how many of `count` were left, entries }, of a lease that is there already as at first;
-- or an error, with nothing changed.
function Job:new_lease(id, worker, host, depth, count, connections)
  local key, entries = self.prefix .. 'lease:' .. id, {}
  if call('EXISTS', key) == 1 then
    local indexes, lease = read_lease(key)
    for i, index in ipairs(indexes) do entries[i] = lease[tostring(index)] end
    return { 0, entries }
  end

  if not is_open(depth, self.round + 1) then return not_open(depth) end
  entries = self:pop(depth, host, tonumber(count))
  if #entries == 0 then return { 0, entries } end
  local left = self:part_last_lives(depth, host, entries)
  local fields = { 'worker', worker, 'host', host, 'depth', depth, 'connections', connections }
  for i, entry in ipairs(entries) do
    fields[#fields + 1] = text_of_number(i - 1)
    fields[#fields + 1] = entry
    self:note_ahead(depth, entry, 'leased')
  end
  call_in_chunks('HSET', key, fields)
  self.new_leases[#self.new_leases + 1] = id
  self:count_both(depth, 'leased', #entries)
  return { left, entries }
end

-- Reads of the leases what is reported of: report.id, report.index. A lease has the fields of its
-- hash that were read, of which false are not there (any more).
function Job:read_leases(reports)
  local names = {}
  for _, report in ipairs(reports) do
    local of_lease = names[report.id]
    if not of_lease then
      of_lease = { 'depth', 'host' }
      names[report.id] = of_lease
    end
    of_lease[#of_lease + 1] = report.index
  end
  for id, of_lease in pairs(names) do
    local lease = { key = self.prefix .. 'lease:' .. id, fields = {}, ended = {} }
    for first = 1, #of_lease, CHUNK do
      local last = math.min(first + CHUNK - 1, #of_lease)
      local values = call('HMGET', lease.key, unpack(of_lease, first, last))
      for i, value in ipairs(values) do lease.fields[of_lease[first + i - 1]] = value end
    end
    lease.depth = tonumber(lease.fields.depth)
    self.leases[id] = lease
  end
end

-- Takes what has ended off the leases, and deletes those that hold nothing any more.
function Job:save_leases()
  local live, ended, keys = self.prefix .. 'leases', {}, {}
  call_in_chunks('SADD', live, self.new_leases)
  for id, lease in pairs(self.leases) do
    if #lease.ended > 0 and call('HLEN', lease.key) == LEASE_FIELDS + #lease.ended then
      ended[#ended + 1] = id
      keys[#keys + 1] = lease.key
    else
      call_in_chunks('HDEL', lease.key, lease.ended)
    end
  end
  for first = 1, #keys, CHUNK do
    call('DEL', unpack(keys, first, math.min(first + CHUNK - 1, #keys)))
  end
  call_in_chunks('SREM', live, ended)
end

function Job:release(depth, urls)
  self:count_both(depth, 'leased', -urls)
end
