-- title: published months up to this one, newest first
select
    info.month,
    info.rubric_version,
    info.rubric_name,
    info.cutoff_at,
    info.working_days
from core.month_info as info
where info.month <= $month
order by info.month desc
