-- grain: one row per item of the repair pool's account
-- rule: opening + in + recovered − paid = cash; cash − committed and not yet
--   paid = available; in yuan
-- build: month
with entry as (
    select
        entry.kind,
        entry.amount,
        entry.repair_id,
        entry.day >= $month as is_current
    from core.fund_entry as entry
    where entry.day < $month + interval 1 month
),

summed as (
    select
        coalesce(sum(case when entry.kind in ('in', 'recovered') then entry.amount when entry.kind = 'paid' then -entry.amount end) filter (not entry.is_current), 0) as opening,
        coalesce(sum(entry.amount) filter (entry.is_current and entry.kind = 'in'), 0) as received,
        coalesce(sum(entry.amount) filter (entry.is_current and entry.kind = 'recovered'), 0) as recovered,
        coalesce(sum(entry.amount) filter (entry.is_current and entry.kind = 'paid'), 0) as paid
    from entry
),

-- A commitment ends when its repair is paid or void.
committed as (
    select coalesce(sum(entry.amount), 0) as committed
    from entry
    where entry.kind = 'committed'
        and entry.repair_id not in (
            select paid.repair_id
            from entry as paid
            where paid.kind = 'paid'
                and paid.repair_id is not null
        )
        and entry.repair_id not in (
            select repair.repair_id
            from core.repair as repair
            where repair.state = 'void'
        )
)

select
    $month as month,
    item.position,
    item.item,
    item.amount::decimal(14, 2) as amount
from summed
cross join committed
cross join lateral (
    values
        (1, 'opening', summed.opening),
        (2, 'received', summed.received),
        (3, 'recovered', summed.recovered),
        (4, 'paid', -summed.paid),
        (5, 'cash', summed.opening + summed.received + summed.recovered - summed.paid),
        (6, 'committed', -committed.committed),
        (7, 'available', summed.opening + summed.received + summed.recovered - summed.paid - committed.committed)
) as item(position, item, amount)
order by item.position
