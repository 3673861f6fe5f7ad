-- grain: one row per kind of repair
-- rule: requests of the month and those due in it; void ones are out
-- build: month
select
    $month as month,
    row_number() over (
        order by count(*) filter (repair.is_reported) desc, repair.kind
    ) as position,
    repair.kind as name,
    count(*) filter (repair.is_reported) as reported,
    count(*) filter (repair.is_due) as due,
    count(*) filter (repair.is_due and repair.finished_at is not null) as finished,
    round(
        100.0 * count(*) filter (repair.is_due and repair.finished_at is not null)
        / nullif(count(*) filter (repair.is_due), 0), 1
    )::decimal(5, 1) as finished_rate,
    count(*) filter (repair.is_overdue_open) as overdue,
    count(*) filter (repair.is_reported and repair.is_in_warranty) as in_warranty,
    coalesce(sum(repair.budget) filter (repair.is_reported), 0)::decimal(14, 2) as budget
from core.month_repair as repair
where repair.month = $month
    and not repair.is_excluded
group by repair.kind
order by position
