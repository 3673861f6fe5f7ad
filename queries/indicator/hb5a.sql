-- grain: one row per grid
-- rule: HB5a environment complaints reported in the month; the denominator is
--   the households of every building grid, with or without complaints, so that
--   sums above are complaints ÷ all households
-- cohort: reported
with complaint as (
    select
        ticket.grid_id,
        count(*) as complaints
    from core.month_ticket as ticket
    where ticket.month = $month
        and ticket.is_reported
        and ticket.kind = 'complaint'
        and ticket.line = 'environment'
        and not ticket.is_excluded
        and not list_contains(ticket.excluded_for, 'hb5a')
    group by ticket.grid_id
)

select
    unit.grid_id,
    null::text as part,
    null::date as day,
    coalesce(complaint.complaints, 0)::bigint as numerator,
    case unit.level when 4 then unit.households else 0 end as denominator
from core.month_unit as unit
left join complaint
    on unit.grid_id = complaint.grid_id
where unit.month = $month
    and (unit.level = 4 or complaint.complaints > 0)
order by unit.grid_id
