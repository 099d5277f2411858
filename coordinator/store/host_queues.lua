-- Host queues, and the text of their entries. A part of store.lua, which tells the keys.

local function host_of(url)
  return string.match(url, '^https?://([^/?]+)')
end

local function url_of(entry)
  local blank = string.find(entry, ' ', 1, true)
  return blank and string.sub(entry, 1, blank - 1) or entry
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

-- The entry with one loss more, and its losses then.
local function with_loss(entry)
  local parts = parts_of(entry)
  parts.losses = parts.losses + 1
  return text_of(parts), parts.losses
end

-- The key of the set of a depth's hosts.
function Job:hosts_at(depth)
  return self.prefix .. 'hosts:' .. depth
end

-- A host queue: the keys of its list and of its void entries, entries that are to be pushed, and
-- perhaps `void`, how many void entries there are, and `may_be_idle`.
function Job:queue(depth, host)
  local queues = self.queues[depth]
  if not queues then
    queues = {}
    self.queues[depth] = queues
  end
  local queue = queues[host]
  if not queue then
    local place = depth .. ':' .. host
    queue = {
      list = self.prefix .. 'frontier:' .. place,
      moved = self.prefix .. 'moved:' .. place,
      new = {},
    }
    queues[host] = queue
  end
  return queue
end

-- An entry that comes back.
function Job:push_front(depth, host, entry)
  self:note_ahead(depth, entry, false)
  local length = call('LPUSH', self:queue(depth, host).list, entry)
  if length == 1 then call('SADD', self:hosts_at(depth), host) end
end

-- A new entry, at the end of the call or sooner.
function Job:push_later(depth, host, entry)
  local new = self:queue(depth, host).new
  new[#new + 1] = entry
end

function Job:push_new(depth, host)
  local queue = self:queue(depth, host)
  if #queue.new == 0 then return end
  local _, length = call_in_chunks('RPUSH', queue.list, queue.new)
  if length == #queue.new then call('SADD', self:hosts_at(depth), host) end
  queue.new = {}
end

function Job:save_queues()
  for depth, queues in pairs(self.queues) do
    for host, queue in pairs(queues) do
      self:push_new(depth, host)
      if queue.may_be_idle and call('LLEN', queue.list) <= call('SCARD', queue.moved) then
        call('DEL', queue.list, queue.moved)
        call('SREM', self:hosts_at(depth), host)
      end
    end
  end
end

-- Deletes a host queue in which nothing waits, at the end of the call.
function Job:drop_if_idle(depth, host)
  self:queue(depth, host).may_be_idle = true
end

-- Voids the entry of a URL that waits in a host queue.
function Job:void(depth, host, url)
  local queue = self:queue(depth, host)
  call('SADD', queue.moved, url)
  queue.void = nil
  self:drop_if_idle(depth, host)
end

-- Takes up to `count` entries off a host queue's front, without the void ones.
function Job:pop(depth, host, count)
  self:push_new(depth, host)
  local queue = self:queue(depth, host)
  local void = queue.void or call('SCARD', queue.moved)
  local taken = {}
  while #taken < count do
    local entries = call('LPOP', queue.list, count - #taken)
    if not entries then break end
    for _, entry in ipairs(entries) do
      if void > 0 and call('SREM', queue.moved, url_of(entry)) == 1 then
        void = void - 1
      else
        taken[#taken + 1] = entry
      end
    end
  end
  queue.void = void
  self:drop_if_idle(depth, host)
  return taken
end
