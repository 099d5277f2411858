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
