-- grain: one row per item of the repair pool's account
-- rule: domain.md 3.3: opening + in + recovered − paid = cash; cash − approved
--   and not yet paid = available; in yuan. A commitment is owed up to what was
--   settled, less what was paid; it ends when its repair is void
-- build: month
with entry as (
    select
        entry.kind,
        entry.amount,
        entry.repair_id,
        coalesce('r ' || entry.repair_id, 'p ' || entry.project, entry.entry_id) as work,
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

repair as (
    select
        repair.repair_id,
        bool_or(
            repair.state = 'void'
            and coalesce(repair.voided_at < $month + interval 1 month, true)
        ) as is_void,
        max(repair.settled_amount) filter (
            repair.settled_at < $month + interval 1 month
        ) as settled
    from core.repair as repair
    group by repair.repair_id
),

owed as (
    select
        entry.work,
        case when coalesce(bool_or(repair.is_void), false) then 0
            else greatest(
                least(
                    sum(entry.amount) filter (entry.kind = 'committed'),
                    max(repair.settled)
                ) - coalesce(sum(entry.amount) filter (entry.kind = 'paid'), 0), 0
            )
        end as amount
    from entry
    left join repair
        on entry.repair_id = repair.repair_id
    group by entry.work
    having count(*) filter (entry.kind = 'committed') > 0
),

account as (
    select
        summed.*,
        summed.opening + summed.received + summed.recovered - summed.paid as cash,
        (select coalesce(sum(owed.amount), 0) from owed) as committed
    from summed
)

select
    $month as month,
    item.position,
    item.item,
    item.amount::decimal(14, 2) as amount
from account
cross join lateral (
    values
        (1, 'opening', account.opening),
        (2, 'received', account.received),
        (3, 'recovered', account.recovered),
        (4, 'paid', -account.paid),
        (5, 'cash', account.cash),
        (6, 'committed', -account.committed),
        (7, 'available', account.cash - account.committed)
) as item(position, item, amount)
order by item.position
